#include "core/log.hpp"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/log_target.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class LogTest : public testing::Test {
 protected:
  FakeClock clock_;
  const std::shared_ptr<FakeLogTarget> target_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, target_};
};

TEST_F(LogTest, LinesBelowTheLevelAreLeftOut) {
  log_.debug("a {}", 1);
  log_.info("b {}", 2);
  log_.set_level(LogLevel::error);
  log_.warning("c");
  log_.error("d");
  EXPECT_THAT(target_->take(), ElementsAre("info: b 2", "error: d"));
}

TEST_F(LogTest, WhatIsSaidAgainAndAgainIsCounted) {
  for (int i = 0; i < 100; ++i) {
    log_.warning("the source fails");
    clock_.advance(1s);
  }
  EXPECT_THAT(target_->take(), ElementsAre("warning: the source fails",
                                           "warning: the source fails (and 59 times since this was last said)"));
  log_.warning("another fails");
  EXPECT_THAT(target_->take(), ElementsAre("warning: another fails"));
}

TEST_F(LogTest, AFloodOfDifferentLinesIsRememberedOnlyInPart) {
  for (int i = 0; i < 10'000; ++i) log_.info("line {}", i);
  EXPECT_EQ(target_->take().size(), 10'000U);
  clock_.advance(2min);
  log_.info("after");
  log_.info("after");
  EXPECT_THAT(target_->take(), ElementsAre("info: after"));  // the old ones made room
}

TEST_F(LogTest, ForeignTextCannotForgeALineOrReachATerminal) {
  log_.info("client says {}", "a\nerror: b\x1b[2J");
  EXPECT_THAT(target_->take(), ElementsAre("info: client says a?error: b?[2J"));
  log_.info("{}", std::string(10'000, 'x'));
  EXPECT_EQ(target_->take().front(), "info: " + std::string(4096, 'x') + " [cut]");
}

class LogFileTest : public testing::Test {
 protected:
  static std::string content(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static LogLine line(std::string text) {
    return {WallTime(1'780'000'000s + 250ms), LogLevel::warning, std::move(text)};
  }

  const TemporaryFolder folder_;
  const std::string file_ = folder_.path() / "serve.log";
};

TEST_F(LogFileTest, ALineIsATextOrAJsonObject) {
  auto text = open_log_target({.file = file_});
  ASSERT_TRUE(text.has_value());
  (*text)->write(line(R"(a "quoted" \ word)"));
  EXPECT_EQ(content(file_), "2026-05-28T20:26:40.250Z warning: a \"quoted\" \\ word\n");

  auto json = open_log_target({.file = file_ + ".json", .format = LogFormat::json});
  ASSERT_TRUE(json.has_value());
  (*json)->write(line(R"(a "quoted" \ word)"));
  EXPECT_EQ(content(file_ + ".json"),
            R"({"time":"2026-05-28T20:26:40.250Z","level":"warning","message":"a \"quoted\" \\ word"})"
            "\n");
}

TEST_F(LogFileTest, AFileTurnsOverAndTheOldestGoes) {
  auto target = open_log_target({.file = file_, .rotate_size = Bytes(1000), .rotate_keep = 2});
  ASSERT_TRUE(target.has_value());
  for (int i = 0; i < 100; ++i) (*target)->write(line(std::string(100, 'x')));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    names.push_back(entry.path().filename());
    EXPECT_LE(entry.file_size(), 1000U);
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("serve.log", "serve.1.log", "serve.2.log"));
}

TEST_F(LogFileTest, AFileThatWasMovedAwayIsMadeAnewWhenOpenedAgain) {
  auto first = open_log_target({.file = file_});
  ASSERT_TRUE(first.has_value());
  (*first)->write(line("before"));
  std::filesystem::rename(file_, file_ + ".old");
  auto second = open_log_target({.file = file_});
  ASSERT_TRUE(second.has_value());
  (*second)->write(line("after"));
  EXPECT_THAT(content(file_), testing::EndsWith("after\n"));
  EXPECT_THAT(content(file_ + ".old"), testing::EndsWith("before\n"));
}

TEST_F(LogFileTest, AFileThatCannotBeOpenedIsNamedWithTheReason) {
  const auto target = open_log_target({.file = "/proc/none/serve.log"});
  ASSERT_FALSE(target.has_value());
  EXPECT_EQ(target.error(),
            (Error{Errc::unavailable, "open log file /proc/none/serve.log: No such file or directory"}));
}

TEST_F(LogFileTest, APipeIsRefusedAsItWouldHoldUsUntilSomebodyReads) {
  const std::string path = (folder_.path() / "pipe").string();
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto target = open_log_target({.file = path});
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error(), (Error{Errc::invalid_argument, "open log file " + path + ": it is no regular file"}));
}

TEST_F(LogFileTest, OnAFullDiskALineGoesToStandardError) {
  auto target = open_log_target({.file = "/dev/full"});
  ASSERT_TRUE(target.has_value());
  testing::internal::CaptureStderr();
  (*target)->write(line("kept"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "2026-05-28T20:26:40.250Z warning: kept\n");
}

TEST(JournalTest, TheJournalGetsPrioritiesAndNoTime) {
  auto target = open_log_target({.journal = true});
  ASSERT_TRUE(target.has_value());
  testing::internal::CaptureStderr();
  for (const auto level : {LogLevel::error, LogLevel::warning, LogLevel::info, LogLevel::debug}) {
    (*target)->write({WallTime(), level, "text"});
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "<3>text\n<4>text\n<6>text\n<7>text\n");
}

TEST(JournalTest, OnlyTheStreamThatWasNamedIsTheJournal) {
  EXPECT_FALSE(is_journal_stream("", STDERR_FILENO));
  EXPECT_FALSE(is_journal_stream("1:2", STDERR_FILENO));
}

}  // namespace
}  // namespace gpukeeper
