#include "storage/sqlite_account_store.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"
#include "faulty_disk.hpp"
#include "storage/sqlite.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using account::Account;
using account::DeviceUse;
using account::Peak;
using account::Slot;
using account::Usage;
using Saved = account::AccountStore::Saved;

constexpr auto kEverything = 31 * 24h;
// A whole hour.
const WallTime kHour = std::chrono::floor<std::chrono::hours>(kThen);

class SqliteAccountStoreTest : public testing::Test {
 protected:
  SqliteAccountStore store() const { return SqliteAccountStore(folder_); }

  static Usage usage(double first) {
    return {.gpu_seconds = first,
            .busy_seconds = first + 0.125,
            .busy_unknown_seconds = first + 0.25,
            .idle_seconds = first + 0.375,
            .joules = 1e9 + first,
            .joules_unknown_seconds = first + 0.5,
            .idle_joules = first + 0.625,
            .byte_seconds = 1e18 + first,
            .byte_unknown_seconds = first + 0.75,
            .hoarded_seconds = first + 0.875,
            .hoarded_byte_seconds = 1e17 + first};
  }

  /// One slot of a device and a party, with every field set, and names that a hostile process might choose.
  static Account everything(WallTime begin = kHour, std::chrono::seconds length = 10min) {
    const std::string hostile("\x1b[2J\xff\0 '; DROP TABLE slot; --\n", 28);
    Account account;
    account.since = begin + 1ns;
    account.until = begin + length;
    account.devices.push_back({.id = {"GPU-a"},
                               .index = 4'000'000'000,
                               .name = hostile,
                               .simulated = true,
                               .recorded = false,
                               .memory_bytes = 80e9});
    account.parties.push_back(std::make_shared<const account::Party>(account::Party{.user = hostile,
                                                                                    .service = "vllm",
                                                                                    .container = "docker 4f1c",
                                                                                    .pod = "5c6a",
                                                                                    .job = "4711",
                                                                                    .lease = ~std::uint64_t{0},
                                                                                    .kind = ProcessClass::video}));
    account.pods["5c6a"] = hostile;
    auto slot = std::make_shared<Slot>();
    slot->begin = begin;
    slot->length = length;
    slot->division = {.by_use_seconds = 1.5, .by_memory_seconds = 2.5, .evenly_seconds = 3.5};
    slot->parties[{0, 0}] = usage(100);
    DeviceUse& use = slot->devices[0];
    double value = 1;
    for (double* each :
         {&use.watched_seconds, &use.away_seconds, &use.asleep_seconds, &use.held_seconds, &use.held_unknown_seconds,
          &use.idle_seconds, &use.busy_seconds, &use.busy_unknown_seconds, &use.joules, &use.joules_unknown_seconds,
          &use.slowed_seconds, &use.slowed_by_heat_seconds, &use.slowed_by_power_seconds, &use.slowed_unknown_seconds,
          &use.celsius_seconds, &use.celsius_known_seconds, &use.byte_seconds, &use.byte_known_seconds}) {
      *each = value += 1.5;
    }
    use.free = usage(200);
    use.unlisted = usage(300);
    use.celsius = Peak{-5, begin + 1ns};
    use.bytes = Peak{1e10, begin + 2ns};
    account.slots.push_back(std::move(slot));
    account.alerts.push_back({.id = "12",
                              .rule = "miner",
                              .device = DeviceId{"GPU-a"},
                              .device_index = 3,
                              .subject = "77",
                              .level = AlertLevel::critical,
                              .severity = 85,
                              .phase = AlertPhase::resolved,
                              .message = hostile,
                              .since = begin,
                              .fired_at = begin + 1s,
                              .resolved_at = begin + 2s});
    return account;
  }

  static void expect_same(const Account& a, const Account& b) {
    EXPECT_EQ(a.since, b.since);
    EXPECT_EQ(a.until, b.until);
    EXPECT_EQ(a.alerts, b.alerts);
    EXPECT_EQ(a.pods, b.pods);
    ASSERT_EQ(a.devices.size(), b.devices.size());
    for (std::size_t i = 0; i < a.devices.size(); ++i) {
      EXPECT_EQ(a.devices[i].id, b.devices[i].id);
      EXPECT_EQ(a.devices[i].index, b.devices[i].index);
      EXPECT_EQ(a.devices[i].name, b.devices[i].name);
      EXPECT_EQ(a.devices[i].simulated, b.devices[i].simulated);
      EXPECT_EQ(a.devices[i].memory_bytes, b.devices[i].memory_bytes);
    }
    ASSERT_EQ(a.parties.size(), b.parties.size());
    for (std::size_t i = 0; i < a.parties.size(); ++i) EXPECT_EQ(*a.parties[i], *b.parties[i]);
    ASSERT_EQ(a.slots.size(), b.slots.size());
    for (std::size_t i = 0; i < a.slots.size(); ++i) expect_same(*a.slots[i], *b.slots[i]);
  }
  static void expect_same(const Slot& a, const Slot& b) {
    EXPECT_EQ(a.begin, b.begin);
    EXPECT_EQ(a.length, b.length);
    EXPECT_EQ(a.parties, b.parties);
    EXPECT_EQ(a.devices, b.devices);
    EXPECT_EQ(a.division, b.division);
  }

  static double gpu_seconds(const Account& account) {
    double sum = 0;
    for (const auto& slot : account.slots) {
      for (const auto& [places, each] : slot->parties) sum += each.gpu_seconds;
    }
    return sum;
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
  const std::string path_ = folder_ + "/account.db";
};

TEST_F(SqliteAccountStoreTest, WhatWasSavedIsLoadedByTheNextToTheLastBit) {
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  ASSERT_EQ(first.save(everything()), Saved::these);
  const auto loaded = store().load(kThen, kEverything);
  ASSERT_TRUE(loaded) << loaded.error().message;
  expect_same(*loaded, everything());
}

TEST_F(SqliteAccountStoreTest, ANewFileHoldsNothing) {
  const auto loaded = store().load(kThen, kEverything);
  ASSERT_TRUE(loaded) << loaded.error().message;
  expect_same(*loaded, Account());
}

TEST_F(SqliteAccountStoreTest, ASlotThatIsSavedTwiceCountsOnce) {
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(first.save(everything()));
  expect_same(*first.read({}), everything());
}

TEST_F(SqliteAccountStoreTest, AnHourTakesThePlaceOfItsPieces) {
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(first.save(everything(kHour + i * 10min)));
  EXPECT_DOUBLE_EQ(gpu_seconds(*first.read({})), 1200);
  ASSERT_TRUE(first.save(everything(kHour, 1h)));
  const auto all = first.read({});
  EXPECT_EQ(all->slots.size(), 7u);
  EXPECT_DOUBLE_EQ(gpu_seconds(*all), 700);
}

TEST_F(SqliteAccountStoreTest, OnlyWhatIsWantedIsRead) {
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  for (int i = 0; i < 48; ++i) ASSERT_TRUE(first.save(everything(kHour + i * 1h, 1h)));
  const auto some = first.read({.since = kHour + 90min, .until = kHour + 5h});
  ASSERT_EQ(some->slots.size(), 4u);
  EXPECT_EQ(some->slots.front()->begin, kHour + 1h);
  EXPECT_EQ(some->slots.back()->begin, kHour + 4h);
  const auto others = first.read({.known = {{kHour - 1h, kHour + 90min}, {kHour + 40h, kHour + 60h}}});
  ASSERT_EQ(others->slots.size(), 38u);
  EXPECT_EQ(others->slots.front()->begin, kHour + 2h);
}

TEST_F(SqliteAccountStoreTest, ColumnsHoldAllOfTheirHours) {
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  for (int i = 0; i < 72; ++i) ASSERT_TRUE(first.save(everything(kHour + i * 1h, 1h)));
  const auto days = first.read({.since = {}, .until = {}, .column = 24h});
  EXPECT_LE(days->slots.size(), 4u);
  EXPECT_EQ(days->slots.front()->begin, kHour);
  EXPECT_EQ(days->slots.back()->end(), kHour + 72h);
  EXPECT_DOUBLE_EQ(gpu_seconds(*days), 7200);
}

TEST_F(SqliteAccountStoreTest, LoadingLeavesOutWhatIsOldButNothingWhenTheClockIsBehind) {
  {
    auto first = store();
    ASSERT_TRUE(first.load(kThen, kEverything));
    ASSERT_TRUE(first.save(everything(kHour)));
    ASSERT_TRUE(first.save(everything(kHour + 100h)));
  }
  EXPECT_EQ(store().load(kHour + 101h, 50h)->slots.size(), 1u);
  EXPECT_EQ(store().load(kHour + 20h, 50h)->slots.size(), 2u);
}

TEST_F(SqliteAccountStoreTest, WhatIsOldIsForgottenWithWhoHasNothingLeft) {
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  auto old = everything(kHour, 1h);
  old.parties[0] = std::make_shared<const account::Party>(account::Party{.user = "old", .pod = "gone"});
  old.pods = {{"gone", "ml/gone-0"}};
  ASSERT_TRUE(first.save(old));
  ASSERT_TRUE(first.save(everything(kHour + 100h, 1h)));
  ASSERT_TRUE(first.forget(kHour + 50h));
  expect_same(*first.read({}), [] {
    auto rest = everything(kHour + 100h, 1h);
    rest.since = kHour + 100h;
    return rest;
  }());
  auto database = sqlite::Database::open(path_, sqlite::Database::Access::read);
  EXPECT_EQ(database->integer("SELECT count(*) FROM party"), 1);
  EXPECT_EQ(database->integer("SELECT count(*) FROM usage"), 1);
  EXPECT_EQ(database->integer("SELECT count(*) FROM pod"), 1);
}

TEST_F(SqliteAccountStoreTest, AFullDiskSavesAllOrNothing) {
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  ASSERT_TRUE(first.save(everything()));
  {
    const FaultyDisk disk(FaultyDisk::Fault::full);
    const auto saved = first.save(everything(kHour + 10min));
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().code, Errc::resource_exhausted);
  }
  expect_same(*first.read({}), everything());
  EXPECT_EQ(first.save(everything(kHour + 10min)), Saved::these);
  EXPECT_EQ(first.read({})->slots.size(), 2u);
}

TEST_F(SqliteAccountStoreTest, EveryFailingWriteLeavesWhatWasThere) {
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  ASSERT_TRUE(first.save(everything()));
  for (int after = 0; after < 6; ++after) {
    {
      const FaultyDisk disk(FaultyDisk::Fault::torn, after);
      static_cast<void>(first.save(everything(kHour + 10min)));
    }
    const auto now = store().load(kThen, kEverything);
    ASSERT_TRUE(now) << now.error().message;
    const auto slots = now->slots.size();
    ASSERT_TRUE(slots == 1 || slots == 2) << slots;
    EXPECT_DOUBLE_EQ(gpu_seconds(*now), 100.0 * static_cast<double>(slots));
  }
}

TEST_F(SqliteAccountStoreTest, ACopyMadeWhileItIsOpenIsWhatAKilledProcessLeaves) {
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  ASSERT_TRUE(first.save(everything()));
  const TemporaryFolder copy;
  for (const char* end : {"", "-wal"}) {
    std::filesystem::copy_file(path_ + end, copy.path().string() + "/account.db" + end);
  }
  const auto loaded = SqliteAccountStore(copy.path().string()).load(kThen, kEverything);
  ASSERT_TRUE(loaded) << loaded.error().message;
  expect_same(*loaded, everything());
}

TEST_F(SqliteAccountStoreTest, AFileThatIsNoDatabaseIsMovedAsideAndSaid) {
  std::ofstream(path_) << std::string(4096, 'z');
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  EXPECT_EQ(first.notice(), "the account in " + path_ +
                                " was damaged (sqlite: file is not a database); the file was moved to " + path_ +
                                ".damaged-1, and a new one was begun");
  EXPECT_EQ(first.save(everything()), Saved::these);
  EXPECT_EQ(std::filesystem::file_size(path_ + ".damaged-1"), 4096U);
}

TEST_F(SqliteAccountStoreTest, WhoSavesToAFileThatWasRemovedIsAskedForEverything) {
  auto first = store();
  ASSERT_TRUE(first.load(kThen, kEverything));
  ASSERT_TRUE(first.save(everything()));
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  EXPECT_EQ(first.save(everything(kHour + 10min)), Saved::anew);
  EXPECT_EQ(first.save(everything()), Saved::these);
  EXPECT_EQ(first.read({})->slots.size(), 2u);
}

TEST_F(SqliteAccountStoreTest, AFileOfTheFirstVersionIsBroughtToThisOne) {
  ASSERT_TRUE(store().load(kThen, kEverything));
  auto unnamed = everything();
  unnamed.pods.clear();
  ASSERT_TRUE(store().save(unnamed));
  ASSERT_TRUE(
      sqlite::Database::open(path_, sqlite::Database::Access::own)->execute("DROP TABLE pod; PRAGMA user_version = 1"));
  const auto loaded = store().load(kThen, kEverything);
  ASSERT_TRUE(loaded) << loaded.error().message;
  expect_same(*loaded, unnamed);
  ASSERT_TRUE(store().save(everything()));
  expect_same(*store().read({}), everything());
}

TEST_F(SqliteAccountStoreTest, AFileOfANewerVersionIsLeftAlone) {
  ASSERT_TRUE(store().load(kThen, kEverything));
  ASSERT_TRUE(sqlite::Database::open(path_, sqlite::Database::Access::own)->execute("PRAGMA user_version = 9"));
  const auto loaded = store().load(kThen, kEverything);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::not_supported);
  EXPECT_THAT(loaded.error().message, testing::HasSubstr("it was written by a newer gpukeeper (version 9"));
}

TEST_F(SqliteAccountStoreTest, WhereNothingIsKeptThereIsNothingToRead) {
  const auto read = store().read({});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(), (Error{Errc::not_found, path_ + ": there is no account"}));
}

}  // namespace
}  // namespace gpukeeper
