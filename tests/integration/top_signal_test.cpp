#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/top_session.hpp"
#include "core/files.hpp"
#include "proc/process_stat.hpp"

// The terminal view signals the process that was seen, and no other one that has its number meanwhile.
namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;

struct TopSignalTest : testing::Test {
  const RealFiles files{""};
  pid_t child = ::fork();

  TopSignalTest() {
    if (child == 0) {
      for (;;) ::pause();
    }
  }
  ~TopSignalTest() override {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }

  std::uint64_t ticks() const {
    const auto text = files.read(fmt::format("/proc/{}/stat", child));
    return parse_process_stat(text.value_or("")).value().start_ticks;
  }
  top::Deed deed() const { return {.kind = top::Deed::Kind::signal, .pid = child, .signal = SIGTERM}; }
  bool ended_by(int signal) const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0 && info.si_status == signal;
  }
  bool lives() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid == 0;
  }
};

TEST_F(TopSignalTest, TheProcessThatWasSeenIsSignalled) {
  auto sent = deed();
  sent.start_ticks = ticks();
  ASSERT_TRUE(send_signal(sent, files));
  EXPECT_TRUE(ended_by(SIGTERM));
}

TEST_F(TopSignalTest, AnotherOneWithItsNumberIsNot) {
  auto sent = deed();
  sent.start_ticks = ticks() - 1;
  const auto done = send_signal(sent, files);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::not_found);
  EXPECT_TRUE(lives());
}

TEST_F(TopSignalTest, WhatADaemonSaysOfItsBeginSuffices) {
  auto sent = deed();
  sent.started = std::chrono::system_clock::now();
  ASSERT_TRUE(send_signal(sent, files));
  EXPECT_TRUE(ended_by(SIGTERM));
}

TEST_F(TopSignalTest, OneThatBeganAtAnotherTimeIsAnotherOne) {
  auto sent = deed();
  sent.started = std::chrono::system_clock::now() - 1h;
  const auto done = send_signal(sent, files);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, fmt::format("process {} has ended; another one may have its number", child));
  EXPECT_TRUE(lives());
}

}  // namespace
}  // namespace gpukeeper::cli
