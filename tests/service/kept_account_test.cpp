#include "service/kept_account.hpp"

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/temporary_folder.hpp"
#include "report/accounting.hpp"
#include "storage/sqlite_account_store.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kDay = 24h;

// A daemon over a file that goes back for 120 days, of which its memory has a month. Each hour is a slot in which a GPU
// was watched, and nobody was there.
class KeptAccountTest : public testing::Test {
 protected:
  KeptAccountTest() {
    clock_->set_wall(now_);
    std::filesystem::create_directories(folder_);
    account::Account account{.since = now_ - 120 * kDay, .until = now_, .devices = {{.id = {"GPU-a"}}}};
    for (WallTime begin = *account.since; begin < now_; begin += 1h) {
      auto slot = std::make_shared<account::Slot>();
      slot->begin = begin;
      slot->length = 1h;
      slot->devices[0].watched_seconds = slot->devices[0].free.gpu_seconds = 3600;
      account.slots.push_back(std::move(slot));
    }
    SqliteAccountStore store(folder_);
    EXPECT_TRUE(store.load(now_, kDay));
    EXPECT_TRUE(store.save(account));
  }

  void open() {
    const auto opened = kept_.open(&directory_, Sources());
    ASSERT_TRUE(opened) << opened.error().message;
    while (kept_.account({}, {}).slots.empty()) std::this_thread::yield();  // it is loading
  }

  double hours(const account::Account& account, const report::Range& range) const {
    const auto sums = report::account_for(account, range, report::AccountKey::user, {});
    EXPECT_TRUE(sums) << sums.error().message;
    return sums ? sums->total.gpu_seconds / 3600 : -1;
  }

  const TemporaryFolder temporary_;
  const StateDirectory directory_ = StateDirectory::claim(temporary_.path().string()).value();
  const std::string folder_ = directory_.path() + "/simulated";
  const WallTime now_ = std::chrono::floor<std::chrono::hours>(WallTime(1'780'000'000s));
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  KeptAccount kept_{{.interval = 1h}, clock_};
};

TEST_F(KeptAccountTest, AStretchOfLongAgoEndsWhereItWasAskedToAsInTheFile) {
  open();
  const report::Range range{.since = now_ - 100 * kDay + 5h + 30min, .until = now_ - 90 * kDay + 7h, .usual = {}};
  const auto file = SqliteAccountStore(folder_).read({.since = range.since, .until = range.until, .column = kDay});
  ASSERT_TRUE(file);
  EXPECT_EQ(hours(*file, range), 10 * 24 + 2);
  EXPECT_EQ(hours(kept_.account(range.since, range.until), range), 10 * 24 + 2);
}

TEST_F(KeptAccountTest, WhatTheFileAndTheMemoryHaveIsCountedOnce) {
  open();
  const report::Range range{.since = now_ - 100 * kDay, .until = {}, .usual = {}};
  EXPECT_EQ(hours(kept_.account(range.since, range.until), range), 100 * 24);
}

TEST_F(KeptAccountTest, ThatItCouldNotBeReadIsNotSaidForever) {
  open();
  const auto since = now_ - 100 * kDay;
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(folder_ + "/account.db" + end);
  std::filesystem::create_directory(folder_ + "/account.db");
  static_cast<void>(kept_.account(since, {}));
  EXPECT_THAT(kept_.trouble(), testing::ElementsAre(HasSubstr("the account before this start: ")));
  clock_->advance(11min);
  EXPECT_THAT(kept_.trouble(), IsEmpty());
}

}  // namespace
}  // namespace gpukeeper::service
