// A command in our place: real processes, real signals, a real terminal.
#include "cli/child_process.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "cli/run_cgroup.hpp"
#include "fakes/temporary_folder.hpp"
#include "served.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30s;  // the machine may be busy, under a sanitizer

class ChildProcessTest : public testing::Test {
 protected:
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string text_of(const std::string& name) const {
    std::ifstream in(file(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool there(const std::string& name) const {
    return eventually([&] { return text_of(name).ends_with('\n'); });
  }
  std::unique_ptr<ChildProcess> start(const std::string& script) {
    auto child = ChildProcess::start({.words = {"sh", "-c", script}}, signals_);
    if (!child) throw std::runtime_error(child.error().message);
    return std::move(*child);
  }
  std::optional<ChildEnd> end_of(ChildProcess& child) const {
    return child.wait_until(clock_, clock_.now() + kPatience);
  }
  ChildEnd run(const std::string& script) {
    const auto child = start(script);
    return end_of(*child).value_or(ChildEnd{-1, -1});
  }
  static char state_of(pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(in, line);
    const auto at = line.rfind(')');
    return at == std::string::npos || at + 2 >= line.size() ? '?' : line[at + 2];
  }

  const TemporaryFolder folder_;
  const SystemClock clock_;
  const HeldSignals signals_;
};

TEST_F(ChildProcessTest, ItsExitStatusIsThatOfAShell) {
  EXPECT_EQ(run("exit 7"), (ChildEnd{7, 0}));
  EXPECT_EQ(run("kill -TERM $$"), (ChildEnd{143, SIGTERM}));
  EXPECT_EQ(run("kill -KILL $$"), (ChildEnd{137, SIGKILL}));
}

TEST_F(ChildProcessTest, WeIgnoreBrokenPipesAndItDoesNot) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(run("kill -PIPE $$"), (ChildEnd{141, SIGPIPE}));
  ::signal(SIGPIPE, before);
}

TEST_F(ChildProcessTest, WhatCannotBeRunIsSaidAsTheKernelSaysIt) {
  EXPECT_EQ(ChildProcess::start({.words = {"no-such-program"}}, signals_).error(),
            (Error{Errc::not_found, "no-such-program: No such file or directory"}));
  std::ofstream(file("text")) << "no program\n";
  EXPECT_EQ(ChildProcess::start({.words = {file("text")}}, signals_).error(),
            (Error{Errc::not_permitted, file("text") + ": Permission denied"}));
}

TEST_F(ChildProcessTest, VariablesAreSetAboveOurOwnAndTakenOut) {
  ::setenv("CHILD_TEST_KEPT", "kept", 1);
  ::setenv("CHILD_TEST_CHANGED", "old", 1);
  ::setenv("CHILD_TEST_GONE", "gone", 1);
  const auto child = ChildProcess::start(
      {.words = {"sh", "-c", "echo $CHILD_TEST_KEPT $CHILD_TEST_CHANGED ${CHILD_TEST_GONE-none} > " + file("out")},
       .set = {{"CHILD_TEST_CHANGED", "new"}},
       .unset = {"CHILD_TEST_GONE"}},
      signals_);
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(end_of(**child), (ChildEnd{0, 0}));
  EXPECT_EQ(text_of("out"), "kept new none\n");
}

TEST_F(ChildProcessTest, ItLeadsAProcessGroupOfItsOwn) {
  const auto child = start("cut -d' ' -f5 /proc/$$/stat > " + file("group"));
  const auto group = std::to_string(child->pid());
  EXPECT_EQ(end_of(*child), (ChildEnd{0, 0}));
  EXPECT_EQ(text_of("group"), group + "\n");
}

TEST_F(ChildProcessTest, ASignalOfOursIsItsOwn) {
  const auto child = start("trap 'exit 9' TERM; echo > " + file("ready") + "; while :; do sleep 0.01; done");
  ASSERT_TRUE(there("ready"));
  ::kill(::getpid(), SIGTERM);
  EXPECT_EQ(end_of(*child), (ChildEnd{9, 0}));
}

TEST_F(ChildProcessTest, OneThatTakesTimeIsWaitedForAgain) {
  const auto child = start("sleep 0.2");
  EXPECT_EQ(child->wait_until(clock_, clock_.now()), std::nullopt);
  EXPECT_EQ(end_of(*child), (ChildEnd{0, 0}));
  EXPECT_EQ(end_of(*child), (ChildEnd{0, 0}));
}

TEST_F(ChildProcessTest, ItStandsStillUntilItMayGoOn) {
  const auto child = start("until [ -e " + file("go") + " ]; do sleep 0.01; done; exit 3");
  child->pause();
  ASSERT_TRUE(eventually([&] { return state_of(child->pid()) == 'T'; }));
  std::ofstream(file("go")) << "on";
  EXPECT_EQ(child->wait_until(clock_, clock_.now() + 200ms), std::nullopt);
  EXPECT_TRUE(child->paused());
  child->go_on();
  EXPECT_EQ(end_of(*child), (ChildEnd{3, 0}));
}

TEST_F(ChildProcessTest, WhoHasLeftItsProcessGroupIsHeldByItsControlGroup) {
  const RunCgroup group = RunCgroup::make();
  if (group.path().empty()) GTEST_SKIP() << "no control group of version 2 can be made here";
  const std::string work = "while :; do echo >> " + file("out") + "; sleep 0.01; done";
  auto child = ChildProcess::start(
      {.words = {"sh", "-c", "setsid sh -c '" + work + "' & wait"}, .cgroup = group.path()}, signals_);
  ASSERT_TRUE(child) << child.error().message;
  ASSERT_TRUE(there("out"));
  (*child)->pause();
  const auto frozen = [&] {
    std::ifstream in(group.path() + "/cgroup.events");
    return std::string(std::istreambuf_iterator<char>(in), {}).find("frozen 1") != std::string::npos;
  };
  ASSERT_TRUE(eventually(frozen));
  const auto done = text_of("out").size();
  EXPECT_EQ((*child)->wait_until(clock_, clock_.now() + 200ms), std::nullopt);
  EXPECT_EQ(text_of("out").size(), done);
  (*child)->go_on();
  EXPECT_TRUE(eventually([&] { return text_of("out").size() > done; }));
  std::ofstream(group.path() + "/cgroup.kill") << "1";
  EXPECT_EQ(end_of(**child), (ChildEnd{128 + SIGKILL, SIGKILL}));
}

TEST_F(ChildProcessTest, WhoIsAskedToEndIsNotHeldUp) {
  const auto child = start("trap 'exit 4' TERM; echo > " + file("ready") + "; while :; do sleep 0.01; done");
  ASSERT_TRUE(there("ready"));
  child->pause();
  ::kill(::getpid(), SIGTERM);
  EXPECT_EQ(end_of(*child), (ChildEnd{4, 0}));
  child->pause();
  EXPECT_FALSE(child->paused());
}

TEST_F(ChildProcessTest, WhatAKilledRunHasLeftGoesWithTheNext) {
  const RunCgroup group = RunCgroup::make();
  if (group.path().empty()) GTEST_SKIP() << "no control group of version 2 can be made here";
  const auto left_by = [&](pid_t pid) {
    return std::filesystem::path(group.path()).replace_filename("gpukeeper-run-" + std::to_string(pid));
  };
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(gone, nullptr, 0), gone);
  std::filesystem::create_directory(left_by(gone));
  std::filesystem::create_directory(left_by(::getppid()));  // which lives
  static_cast<void>(RunCgroup::make());
  EXPECT_FALSE(std::filesystem::exists(left_by(gone)));
  EXPECT_TRUE(std::filesystem::exists(left_by(::getppid())));
  std::filesystem::remove(left_by(::getppid()));
}

// A terminal with a session of its own, led by a shell that knows one job: us with our command.
class TerminalTest : public ChildProcessTest {
 protected:
  TerminalTest() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) throw std::runtime_error("no terminal");
  }
  ~TerminalTest() override {
    if (shell_ > 0) {
      ::kill(shell_, SIGKILL);
      ::waitpid(shell_, nullptr, 0);
    }
    ::close(master_);
  }

  // The shell writes "stopped" when its job is, waits for the file "fg", and continues it in the foreground; in the end
  // "ended N".
  void begin(const std::string& script, bool output_elsewhere = false) {
    output_elsewhere_ = output_elsewhere;
    shell_ = ::fork();
    if (shell_ == 0) lead_session(script);
  }
  void type(const std::string& text) {
    ASSERT_EQ(::write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

 private:
  [[noreturn]] void lead_session(const std::string& script) {
    ::setsid();
    const int slave = ::open(::ptsname(master_), O_RDWR);
    ::ioctl(slave, TIOCSCTTY, 0);
    for (const int descriptor : {0, 1, 2}) ::dup2(slave, descriptor);
    const pid_t job = ::fork();
    if (job == 0) be_the_job(script);
    ::setpgid(job, job);
    ::tcsetpgrp(0, job);
    int status = 0;
    while (::waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status)) {
      const bool ours_again = ::tcgetpgrp(0) == job;  // as the job found it
      ::tcsetpgrp(0, ::getpgrp());
      std::ofstream(file("stopped")) << WSTOPSIG(status) << (ours_again ? " with the terminal\n" : " without\n");
      eventually([&] { return there("fg"); });
      ::tcsetpgrp(0, job);
      ::kill(-job, SIGCONT);
    }
    std::ofstream(file("ended")) << (WIFEXITED(status) ? WEXITSTATUS(status) : -1)
                                 << (::tcgetpgrp(0) == job ? " with the terminal\n" : " without\n");
    ::_exit(0);
  }
  [[noreturn]] void be_the_job(const std::string& script) {
    ::setpgid(0, 0);
    while (::tcgetpgrp(0) != ::getpgrp()) ::usleep(1000);
    if (output_elsewhere_) ::dup2(::open("/dev/null", O_WRONLY), 1);
    const auto end = run(script);
    ::_exit(end.status);
  }

  const int master_;
  pid_t shell_ = -1;
  bool output_elsewhere_ = false;
};

TEST_F(TerminalTest, ControlCReachesTheCommandThatHasTheTerminal) {
  begin("trap 'exit 5' INT; echo > " + file("ready") + "; while :; do sleep 0.01; done");
  ASSERT_TRUE(there("ready"));
  type("\x03");
  ASSERT_TRUE(there("ended"));
  EXPECT_EQ(text_of("ended"), "5 with the terminal\n");
}

TEST_F(TerminalTest, ControlZStopsBothAndTheyGoOnTogether) {
  begin("echo > " + file("ready") + "; read line; echo \"got $line\" > " + file("line") + "; exit 6");
  ASSERT_TRUE(there("ready"));
  type("\x1a");
  ASSERT_TRUE(there("stopped"));
  EXPECT_EQ(text_of("stopped"), std::to_string(SIGTSTP) + " with the terminal\n");
  std::ofstream(file("fg")) << "\n";
  type("hello\n");
  ASSERT_TRUE(there("ended"));
  EXPECT_EQ(text_of("line"), "got hello\n");
  EXPECT_EQ(text_of("ended"), "6 with the terminal\n");
}

TEST_F(TerminalTest, WhoseOutputGoesElsewhereGetsTheTerminalWhenItReadsFromIt) {
  begin("read line; echo \"got $line\" > " + file("line") + "; exit 8", true);
  type("hello\n");
  ASSERT_TRUE(there("ended"));
  EXPECT_EQ(text_of("line"), "got hello\n");
  EXPECT_EQ(text_of("ended"), "8 with the terminal\n");
}

}  // namespace
}  // namespace gpukeeper::cli
