#include "actuators/change_journal.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ChangeJournalTest : public testing::Test {
 protected:
  static HeldChange change(const std::string& device, const std::string& set = "500") {
    return {.name = {ActuatorKind::power_limit, {device}, "nvml"},
            .found = "1000",
            .set = set,
            .before = {},
            .reason = "84 °C, above 75 °C",
            .boot = "boot-1",
            .at = WallTime(std::chrono::seconds(1'780'000'000))};
  }
  static HeldChange long_change(const std::string& device) {
    HeldChange result = change(device);
    result.reason = std::string(4000, 'x');
    return result;
  }
  ChangeJournal open() { return std::move(ChangeJournal::open(path_).value()); }
  std::string text() { return read_file(path_, 1 << 20).value(); }
  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }

  TemporaryFolder folder_;
  const std::string path_ = (folder_.path() / "changes").string();
};

TEST_F(ChangeJournalTest, WhatIsHeldIsKnownAfterARestart) {
  auto journal = open();
  ASSERT_TRUE(journal.will_change(change("GPU-a")));
  ASSERT_TRUE(journal.will_change(change("GPU-b")));
  ASSERT_TRUE(journal.given_back(change("GPU-a").name));
  EXPECT_THAT(open().held(), ElementsAre(change("GPU-b")));
}

TEST_F(ChangeJournalTest, WhatWasFoundAtFirstStays) {
  auto journal = open();
  ASSERT_TRUE(journal.will_change(change("GPU-a", "800")));
  auto second = change("GPU-a", "500");
  second.found = "800";
  ASSERT_TRUE(journal.will_change(second));
  auto expected = change("GPU-a", "500");
  expected.before = "800";  // which stands there if the process ends before it sets the other
  EXPECT_THAT(open().held(), ElementsAre(expected));
}

// One value that is held for weeks keeps the file from being emptied, while others come and go.
TEST_F(ChangeJournalTest, WhatIsOverIsLeftOutOnceThereIsMuchOfIt) {
  auto journal = open();
  ASSERT_TRUE(journal.will_change(change("GPU-a")));
  std::size_t largest = 0;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(journal.will_change(long_change("GPU-b")));
    ASSERT_TRUE(journal.given_back(change("GPU-b").name));
    largest = std::max(largest, text().size());
  }
  EXPECT_LE(largest, ChangeJournal::kMostOver + 6000);
  EXPECT_THAT(open().held(), ElementsAre(change("GPU-a")));
  ASSERT_TRUE(journal.will_change(change("GPU-c")));  // into the new file
  EXPECT_THAT(open().held(), ElementsAre(change("GPU-a"), change("GPU-c")));
}

TEST_F(ChangeJournalTest, WhereItCannotBeWrittenAnewItGrowsUntilItCan) {
  auto journal = open();
  ASSERT_TRUE(journal.will_change(change("GPU-a")));
  std::filesystem::create_directories(path_ + ".new/full");  // in the way
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(journal.will_change(long_change("GPU-b")));
    ASSERT_TRUE(journal.given_back(change("GPU-b").name));
  }
  EXPECT_GT(text().size(), ChangeJournal::kMostOver);
  EXPECT_THAT(open().held(), ElementsAre(change("GPU-a")));
  std::filesystem::remove_all(path_ + ".new");
  ASSERT_TRUE(journal.will_change(change("GPU-c")));
  EXPECT_LT(text().size(), 1000U);
  EXPECT_THAT(open().held(), ElementsAre(change("GPU-a"), change("GPU-c")));
}

// The next process would look for another group.
TEST_F(ChangeJournalTest, WhatALineCannotHoldMustNotBeChanged) {
  auto journal = open();
  auto odd = change("GPU-a");
  odd.name = {ActuatorKind::freeze, {"GPU-a"}, "/sys/fs/cgroup/\xff"};
  const auto refused = journal.will_change(odd);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (Error{Errc::invalid_argument, "freeze of GPU-a (/sys/fs/cgroup/?) cannot be written to " +
                                                                path_ + ", so it is not changed"}));
  EXPECT_THAT(journal.held(), IsEmpty());
  EXPECT_EQ(text(), "");
}

TEST_F(ChangeJournalTest, ItIsEmptyWhenNothingIsHeld) {
  auto journal = open();
  ASSERT_TRUE(journal.will_change(change("GPU-a")));
  EXPECT_NE(text(), "");
  ASSERT_TRUE(journal.given_back(change("GPU-a").name));
  EXPECT_EQ(text(), "");
  ASSERT_TRUE(journal.will_change(change("GPU-b")));
  EXPECT_THAT(open().held(), ElementsAre(change("GPU-b")));
}

TEST_F(ChangeJournalTest, ATornLastLineWasNeverDone) {
  {
    auto journal = open();
    ASSERT_TRUE(journal.will_change(change("GPU-a")));
    ASSERT_TRUE(journal.will_change(change("GPU-b")));
  }
  const std::string whole = text();
  const auto first = whole.find('\n') + 1;
  for (std::size_t length = first; length < whole.size(); ++length) {
    write(whole.substr(0, length));
    auto journal = open();
    EXPECT_THAT(journal.held(), ElementsAre(change("GPU-a"))) << length;
    ASSERT_TRUE(journal.will_change(change("GPU-c")));
    EXPECT_THAT(open().held(), ElementsAre(change("GPU-a"), change("GPU-c"))) << length;
  }
}

TEST_F(ChangeJournalTest, ADamagedFileIsNotGuessedAt) {
  write("{\"event\":\"changed\"}\n");
  const auto opened = ChangeJournal::open(path_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message,
            path_ +
                " is damaged at byte 0: it says what gpukeeper changed and has to give back; look at it, put the "
                "values back by hand, and delete it");
}

TEST_F(ChangeJournalTest, AFullDiskIsAnErrorAndLeavesWhatWasThere) {
  auto journal = open();
  ASSERT_TRUE(journal.will_change(change("GPU-a")));
  const auto before = text();
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small{before.size() + 10, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto failed = journal.will_change(change("GPU-b"));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("write " + path_ + ": File too large"));
  EXPECT_EQ(text(), before);
  EXPECT_THAT(journal.held(), ElementsAre(change("GPU-a")));
  ASSERT_TRUE(journal.will_change(change("GPU-b")));
  EXPECT_EQ(open().held().size(), 2U);
}

TEST_F(ChangeJournalTest, AFolderThatIsNotThereIsAnError) {
  const auto opened = ChangeJournal::open("/nowhere/changes");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), (Error{Errc::not_found, "open /nowhere/changes: No such file or directory"}));
}

}  // namespace
}  // namespace gpukeeper
