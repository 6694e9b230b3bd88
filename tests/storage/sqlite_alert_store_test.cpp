#include "storage/sqlite_alert_store.hpp"

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

class SqliteAlertStoreTest : public testing::Test {
 protected:
  std::shared_ptr<SqliteAlertStore> open(bool keeps_made_up = false) {
    auto store = SqliteAlertStore::open(folder_, keeps_made_up);
    EXPECT_TRUE(store) << store.error().message;
    return store.value_or(nullptr);
  }
  /// Every field set, with texts that a hostile process might choose.
  static AndonMemory everything() {
    const std::string hostile("\x1b[2J\xff\0 '; DROP TABLE alert; --\n", 29);
    AndonMemory memory{.last_alert = 0xffff'ffff'ffff, .last_silence = 7};
    Alert full{.id = "12",
               .rule = "miner",
               .device = DeviceId{"GPU-a"},
               .device_index = 4'000'000'000,
               .subject = hostile,
               .level = AlertLevel::critical,
               .severity = 85,
               .phase = AlertPhase::firing,
               .value = 0.1,
               .threshold = -1e-300,
               .message = hostile,
               .remedy = "Find out.",
               .link = "docs/alerts.md#miner",
               .since = kThen,
               .fired_at = kThen + 1ns,
               .resolved_at = kThen + 2s,
               .unknown_since = kThen + 3s,
               .acknowledged_by = "mara",
               .acknowledged_until = kThen + 4s,
               .comment = hostile,
               .silenced = true,
               .silenced_until = kThen + 5s};
    Alert bare{.id = "13",
               .rule = "host_cpu",
               .level = AlertLevel::info,
               .phase = AlertPhase::resolved,
               .since = kThen,
               .resolved_at = kThen};
    memory.alerts = {{full, true}, {bare, false}};
    memory.silences = {{.id = "7",
                        .matcher = {.rule = "thermal", .device = "GPU-*", .level = AlertLevel::warning},
                        .begun = kThen,
                        .until = kThen + 1h,
                        .by = "mara",
                        .comment = hostile},
                       {.id = "8", .begun = kThen, .until = kThen + 2h}};
    return memory;
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
  const std::string path_ = folder_ + "/alerts.db";
};

TEST_F(SqliteAlertStoreTest, WhatWasSavedIsLoadedByTheNextToTheLastByte) {
  EXPECT_EQ(open()->load(), AndonMemory{});
  ASSERT_TRUE(open()->save(everything()));
  EXPECT_EQ(open()->load(), everything());
}

TEST_F(SqliteAlertStoreTest, ASaveTakesThePlaceOfTheOneBefore) {
  const auto store = open();
  ASSERT_TRUE(store->save(everything()));
  ASSERT_TRUE(store->save({.last_alert = 14}));
  EXPECT_EQ(store->load(), (AndonMemory{.last_alert = 14}));
}

TEST_F(SqliteAlertStoreTest, ItSaysWhereItIsAndWhatItKeeps) {
  EXPECT_EQ(open()->place(), path_);
  EXPECT_FALSE(open()->keeps_made_up());
  EXPECT_TRUE(open(true)->keeps_made_up());
  EXPECT_EQ(open()->notice(), "");
}

TEST_F(SqliteAlertStoreTest, AFileThatIsNoDatabaseIsMovedAsideAndSaid) {
  std::ofstream(path_) << std::string(4096, 'z');
  const auto store = open();
  EXPECT_EQ(store->notice(), "the alerts in " + path_ +
                                 " were damaged (sqlite: file is not a database); the file was moved to " + path_ +
                                 ".damaged-1, and a new one was begun");
  EXPECT_EQ(store->load(), AndonMemory{});
  EXPECT_TRUE(store->save(everything()));
  EXPECT_EQ(std::filesystem::file_size(path_ + ".damaged-1"), 4096U);
}

TEST_F(SqliteAlertStoreTest, AFileThatIsRemovedIsMadeAgain) {
  const auto store = open();
  ASSERT_TRUE(store->save({}));
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  ASSERT_TRUE(store->save(everything()));
  EXPECT_EQ(open()->load(), everything());
}

TEST_F(SqliteAlertStoreTest, AFullDiskSavesAllOrNothing) {
  const auto store = open();
  ASSERT_TRUE(store->save({.last_alert = 1}));
  {
    const FaultyDisk disk(FaultyDisk::Fault::full);
    const auto saved = store->save(everything());
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().code, Errc::resource_exhausted);
  }
  EXPECT_EQ(store->load(), (AndonMemory{.last_alert = 1}));
  EXPECT_TRUE(store->save(everything()));
}

TEST_F(SqliteAlertStoreTest, AFileOfANewerVersionIsLeftAlone) {
  open();
  ASSERT_TRUE(sqlite::Database::open(path_, sqlite::Database::Access::own)->execute("PRAGMA user_version = 9"));
  const auto opened = SqliteAlertStore::open(folder_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(),
            (Error{Errc::not_supported, path_ + ": it was written by a newer gpukeeper (version 9, this "
                                                "one knows 1); use that one, or move the file away"}));
}

TEST_F(SqliteAlertStoreTest, AFolderThatIsNotThereIsSaid) {
  const auto opened = SqliteAlertStore::open(folder_ + "/none");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, testing::StartsWith(folder_ + "/none/alerts.db: "));
}

}  // namespace
}  // namespace gpukeeper
