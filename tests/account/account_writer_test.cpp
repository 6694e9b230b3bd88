#include "account/account_writer.hpp"

#include <atomic>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper::account {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Keeps slots by their begin, as the interface promises, and fails as it is told.
class FakeStore final : public AccountStore {
 public:
  std::string place() const override { return "account.db"; }
  std::string notice() const override { return ""; }

  Result<Account> load(WallTime now, std::chrono::seconds length) override {
    if (load_fails) return fail(Errc::unavailable, "the disk is asleep");
    return read({.since = std::min(now, kept().until) - length, .until = {}});
  }
  Result<Saved> save(const Account& changes) override {
    ++saves;
    if (meanwhile) meanwhile();
    if (save_fails) return fail(Errc::resource_exhausted, "the disk is full");
    std::vector<std::shared_ptr<const Slot>> rest;
    Account all = kept();
    std::erase_if(all.slots, [&](const auto& old) {
      return std::ranges::any_of(changes.slots, [&](const auto& slot) { return slot->holds(old->begin); });
    });
    account_ = joined(std::move(all), changes);
    return std::exchange(was_lost, false) ? Saved::anew : Saved::these;
  }
  Result<void> forget(WallTime before) override {
    forgotten = before;
    return {};
  }
  Result<Account> read(const Wanted& wanted) const override {
    Account account = kept();
    std::erase_if(account.slots, [&](const auto& slot) {
      const auto touches = [&](const auto& span) { return slot->begin < span.second && span.first < slot->end(); };
      return (wanted.since && slot->end() <= *wanted.since) || (wanted.until && slot->begin >= *wanted.until) ||
             std::ranges::any_of(wanted.known, touches);
    });
    return account;
  }

  void lose() {
    account_ = {};
    was_lost = true;
  }
  Account kept() const { return account_; }

  bool load_fails = false;
  bool save_fails = false;
  bool was_lost = false;
  std::atomic<int> saves = 0;
  std::function<void()> meanwhile;  // while it saves
  std::optional<WallTime> forgotten;

 private:
  Account account_;
};

double watched(const Account& account) {
  double seconds = 0;
  for (const auto& slot : account.slots) {
    for (const auto& [place, use] : slot->devices) seconds += use.watched_seconds;
  }
  return seconds;
}

class AccountWriterTest : public testing::Test {
 protected:
  /// A process that looks once a second, for so long, from that date on. Time goes on behind it.
  struct Process {
    std::shared_ptr<Accountant> accountant = std::make_shared<Accountant>();
    MonotonicTime time{1h};
    void watch(WallTime& date, std::chrono::seconds length, std::chrono::seconds apart = 1s) {
      for (auto left = length; left >= 0s; left -= apart) {
        Snapshot snapshot = machine({device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), busy())});
        snapshot.taken_at = date;
        snapshot.monotonic = time;
        accountant->add(snapshot);
        date += apart;
        time += apart;
      }
    }
  };

  std::unique_ptr<AccountWriter> writer(const Process& process) {
    return std::make_unique<AccountWriter>(store_, process.accountant, Keeping{.interval = 1h, .length = 400 * 24h},
                                           clock_);
  }
  static void wait_until_loaded(const Process& process) {
    while (!process.accountant->complete_since()) std::this_thread::yield();
  }

  const std::shared_ptr<FakeStore> store_ = std::make_shared<FakeStore>();
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  WallTime date_ = kThen;
};

TEST_F(AccountWriterTest, WhatIsLeftAtTheEndIsSaved) {
  Process process;
  {
    const auto writes = writer(process);
    process.watch(date_, 30s);
  }
  EXPECT_DOUBLE_EQ(watched(store_->kept()), 30);
}

TEST_F(AccountWriterTest, ARestartGoesOnInTheSameSlotAndCountsNothingTwice) {
  for (int start = 0; start < 5; ++start) {
    Process process;
    const auto writes = writer(process);
    process.watch(date_, 10s);
    EXPECT_LE(watched(process.accountant->account()), 10.0 * (start + 1));
  }
  EXPECT_DOUBLE_EQ(watched(store_->kept()), 50);
  EXPECT_LE(store_->kept().slots.size(), 2u);
}

TEST_F(AccountWriterTest, SavingAgainAndAgainChangesNothing) {
  Process process;
  const auto writes = writer(process);
  process.watch(date_, 30s);
  process.accountant->change_all();
  static_cast<void>(writes->turn());
  process.accountant->change_all();
  static_cast<void>(writes->turn());
  EXPECT_DOUBLE_EQ(watched(store_->kept()), 30);
}

TEST_F(AccountWriterTest, OnAFullDiskItGoesOnSaysWhyAndSavesWhenItCan) {
  Process process;
  const auto writes = writer(process);
  wait_until_loaded(process);
  store_->save_fails = true;
  process.watch(date_, 30s);
  EXPECT_EQ(writes->turn(), AccountWriter::kLongestPause);
  EXPECT_EQ(writes->message(),
            "the account cannot be saved to account.db: the disk is full; it goes on in memory, and is saved when that "
            "succeeds; free some space on that disk");
  process.watch(date_, 15min);
  store_->save_fails = false;
  EXPECT_EQ(writes->turn(), 1h);
  EXPECT_EQ(writes->message(), "");
  EXPECT_DOUBLE_EQ(watched(store_->kept()), watched(process.accountant->account()));
}

TEST_F(AccountWriterTest, BeforeWhatWasKeptIsReadNothingTakesItsPlace) {
  {
    Process before;
    const auto writes = writer(before);
    before.watch(date_, 30s);
  }
  const int saves = store_->saves;
  store_->load_fails = true;
  Process process;
  const auto writes = writer(process);
  process.watch(date_, 30s);
  static_cast<void>(writes->turn());
  EXPECT_EQ(store_->saves, saves);
  EXPECT_THAT(writes->message(), HasSubstr("cannot be read: the disk is asleep; until it can be"));
  EXPECT_DOUBLE_EQ(watched(process.accountant->account()), 30);
  store_->load_fails = false;
  static_cast<void>(writes->turn());
  EXPECT_DOUBLE_EQ(watched(process.accountant->account()), 60);
  EXPECT_DOUBLE_EQ(watched(store_->kept()), 60);
}

TEST_F(AccountWriterTest, AStoreThatLostEverythingGetsEverythingAgain) {
  Process process;
  const auto writes = writer(process);
  process.watch(date_, 30min);
  static_cast<void>(writes->turn());
  store_->lose();
  process.watch(date_, 10s);
  static_cast<void>(writes->turn());
  EXPECT_DOUBLE_EQ(watched(store_->kept()), watched(process.accountant->account()));
}

TEST_F(AccountWriterTest, WhatIsOldIsForgottenOnceTheDateIsBelieved) {
  Process process;
  const auto writes = writer(process);
  process.watch(date_, 30min, 10s);
  static_cast<void>(writes->turn());
  EXPECT_FALSE(store_->forgotten);
  process.watch(date_, 40min, 10s);
  static_cast<void>(writes->turn());
  ASSERT_TRUE(store_->forgotten);
  EXPECT_NEAR(std::chrono::duration<double>(date_ - *store_->forgotten).count(), 400 * 86'400.0, 60);
}

// The hour of a month ago is not in memory: what is counted in its first ten minutes anew must not take its place.
TEST_F(AccountWriterTest, AClockThatIsSetBackFurtherThanTheMemoryGoesTakesNothingFromWhatWasKept) {
  const WallTime hour = std::chrono::floor<std::chrono::hours>(kThen);
  {
    Process before{.accountant = std::make_shared<Accountant>(AccountantOptions{.fine = 1h})};
    const auto writes = writer(before);
    WallTime date = hour;
    before.watch(date, 50min, 10s);
    date = hour + 40 * 24h;
    before.watch(date, 10s);
  }
  const double kept = watched(store_->kept());
  clock_->set_wall(hour + 40 * 24h + 1h);
  Process process;
  const auto writes = writer(process);
  wait_until_loaded(process);
  ASSERT_LT(watched(process.accountant->account()), kept);
  WallTime date = hour + 40 * 24h + 1h;
  process.watch(date, 10s);
  static_cast<void>(writes->turn());
  date = hour;
  for (int i = 0; i < 4; ++i) {
    process.watch(date, 9s);
    static_cast<void>(writes->turn());
  }
  date = hour + 10min;
  process.watch(date, 10s);
  static_cast<void>(writes->turn());
  // Between two looks lies a second each, or what a jump of the date left: nothing is counted twice.
  EXPECT_NEAR(watched(store_->kept()), kept + 10 + 4 * 9 + 10, 6);
  EXPECT_GE(watched(store_->kept()), kept + 10 + 4 * 9 + 10);
}

TEST_F(AccountWriterTest, WhatIsSetWhileItSavesCountsAtOnce) {
  Process process;
  std::atomic<AccountWriter*> which = nullptr;
  store_->save_fails = true;
  store_->meanwhile = [&] {
    if (store_->saves == 1) which.load()->configure({.interval = 2h, .length = 400 * 24h});
  };
  const auto writes = writer(process);
  which = writes.get();
  wait_until_loaded(process);
  process.watch(date_, 30s);
  writes->configure({.interval = 3h, .length = 400 * 24h});  // the thread saves now, and is told of another interval
  const auto end = std::chrono::steady_clock::now() + 20s;   // without it, a minute goes by
  while (store_->saves < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_GE(store_->saves, 2);
}

}  // namespace
}  // namespace gpukeeper::account
