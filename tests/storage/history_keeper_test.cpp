#include "storage/history_keeper.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/past.hpp"
#include "fakes/temporary_folder.hpp"
#include "faulty_disk.hpp"
#include "storage/history_file.hpp"
#include "storage/sqlite.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A machine with one GPU, whose time is moved by hand; the store is stepped once a batch.
class HistoryKeeperTest : public testing::Test {
 protected:
  struct Value {
    WallTime at;
    double celsius;
  };
  struct Found {
    WallTime at;
    HistoryBucket bucket;
  };

  HistoryKeeperTest() { begin(); }

  /// For long times: a disk that takes what is flushed takes its time, too.
  void write_seldom() {
    settings_.batch = 10min;
    begin();
  }

  /// The program starts, and has its memory empty; the machine has been up for an hour.
  void begin() {
    up_ = 1h;
    history_ = std::make_shared<History>(memory_);
    keeper_ = std::make_unique<HistoryKeeper>(settings_);
    keeper_->remember(history_);
    keeper_->open(folder_);
  }

  /// It ends as kill -9 ends it, and starts again.
  void kill(nanoseconds off = 10s) {
    wall_ += off;
    begin();
  }

  /// It ends in peace, and starts again.
  void restart(nanoseconds off = 10s) {
    EXPECT_FALSE(keeper_->step(true));
    kill(off);
  }

  void tick(double celsius, nanoseconds pause) {
    Snapshot snapshot = Past::one(0, celsius);
    snapshot.monotonic = MonotonicTime(up_);
    snapshot.taken_at = wall_;
    snapshot.devices[0].read_at = wall_;
    snapshot.devices[0].reading.power = Watts(static_cast<double>(random_() % 70'000) / 100);
    snapshot.devices[0].reading.clock_graphics = Megahertz(static_cast<double>(random_() % 2000));
    history_->add(snapshot);
    keeper_->see(std::make_shared<const Snapshot>(std::move(snapshot)));
    truth_.push_back({wall_, celsius});
    up_ += pause;
    wall_ += pause;
  }

  /// Time goes by; whether all that was due could be written.
  bool live(nanoseconds time, nanoseconds pause = 1s) {
    bool well = true;
    for (nanoseconds passed{0}; passed < time; passed += pause) {
      const auto batch = wall_.time_since_epoch() / settings_.batch;
      tick(static_cast<double>(400 + random_() % 300) / 10, pause);
      if (batch != stepped_) well = !keeper_->step();
      stepped_ = batch;
    }
    return well;
  }

  std::vector<Found> read(nanoseconds step = 1s, std::optional<MonotonicTime> known = {}, WallTime from = WallTime(),
                          const char* device = "GPU-a") const {
    std::vector<Found> found;
    const auto done = keeper_->read({.device = DeviceId{device},
                                     .metrics = {"temperature_celsius"},
                                     .from = from,
                                     .to = wall_ + 8760h,
                                     .step = step,
                                     .known = known},
                                    [&](std::size_t, WallTime at, const HistoryBucket& bucket) {
                                      found.push_back({at, bucket});
                                    });
    EXPECT_TRUE(done) << done.error().message;
    return found;
  }

  /// What was measured, in such pieces.
  std::map<WallTime, std::optional<HistoryBucket>> truth(std::chrono::seconds piece) const {
    std::map<WallTime, std::optional<HistoryBucket>> result;
    for (const Value& value : truth_) {
      const WallTime at = value.at - value.at.time_since_epoch() % piece;
      merge(result[at], {1, value.celsius, value.celsius, value.celsius, value.celsius});
    }
    return result;
  }

  void expect_truth(std::chrono::seconds piece) {
    const auto expected = truth(piece);
    std::map<WallTime, std::optional<HistoryBucket>> found;
    for (const Found& each : read(piece)) merge(found[each.at - each.at.time_since_epoch() % piece], each.bucket);
    ASSERT_EQ(found.size(), expected.size()) << piece.count();
    for (const auto& [at, bucket] : expected) {
      ASSERT_TRUE(found.contains(at));
      EXPECT_EQ(found[at]->count, bucket->count);
      EXPECT_EQ(found[at]->min, bucket->min);
      EXPECT_EQ(found[at]->max, bucket->max);
      EXPECT_EQ(found[at]->last, bucket->last);
      EXPECT_NEAR(found[at]->avg, bucket->avg, 0.016);  // each tier adds half a hundredth
    }
  }

  std::int64_t ask(const char* sql) const {
    return sqlite::Database::open(path_, sqlite::Database::Access::read)->integer(sql).value();
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
  const std::string path_ = folder_ + "/history.db";
  HistorySettings memory_;
  HistoryStoreSettings settings_;
  nanoseconds up_{0};
  WallTime wall_{std::chrono::seconds(1'780'001'940)};  // 23:00 less a minute, that day
  std::shared_ptr<History> history_;
  std::unique_ptr<HistoryKeeper> keeper_;
  std::vector<Value> truth_;
  std::mt19937 random_{7};
  std::int64_t stepped_ = 0;
};

TEST_F(HistoryKeeperTest, WhatWasMeasuredComesBackAfterARestart) {
  ASSERT_TRUE(live(10min));
  restart();
  const auto found = read();
  ASSERT_EQ(found.size(), truth_.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].at, truth_[i].at);
    EXPECT_EQ(found[i].bucket.last, truth_[i].celsius);
  }
  EXPECT_EQ(keeper_->oldest(), truth_.front().at);
}

TEST_F(HistoryKeeperTest, ABatchIsLostAtTheMost) {
  ASSERT_TRUE(live(10min + 59s));
  kill();
  EXPECT_EQ(read().size(), 600u);
}

TEST_F(HistoryKeeperTest, NothingIsStoredTwiceAndAGapStaysOne) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(live(150s));
    restart(37s);
  }
  const auto found = read();
  ASSERT_EQ(found.size(), truth_.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].at, truth_[i].at);
}

TEST_F(HistoryKeeperTest, EveryTierSaysWhatItsValuesSay) {
  settings_.keep_seconds = 5 * 24h;
  write_seldom();
  ASSERT_TRUE(live(27h, 20s));
  restart(2h);
  ASSERT_TRUE(live(28h, 20s));
  ASSERT_FALSE(keeper_->step(true));
  EXPECT_GT(ask("SELECT count(*) FROM block WHERE tier = 3"), 0);
  for (const auto piece : {1s, 10s, 60s, 3600s}) expect_truth(piece);
}

TEST_F(HistoryKeeperTest, TheFinestIsGoneFirstAndCoarserPiecesTakeItsPlace) {
  settings_.keep_seconds = 3h;
  settings_.keep_ten_seconds = 12h;
  write_seldom();
  ASSERT_TRUE(live(30h, 10s));
  EXPECT_LT(ask("SELECT max(last_ms) - min(first_ms) FROM block WHERE tier = 0"), nanoseconds(4h).count() / 1'000'000);
  EXPECT_LT(ask("SELECT max(last_ms) - min(first_ms) FROM block WHERE tier = 1"), nanoseconds(19h).count() / 1'000'000);
  ASSERT_FALSE(keeper_->step(true));
  expect_truth(60s);
  std::size_t count = 0;
  for (const Found& each : read(1s)) count += each.bucket.count;
  EXPECT_EQ(count, truth_.size());  // each in one tier alone
}

TEST_F(HistoryKeeperTest, NothingIsKeptForLongerThanAllOfIt) {
  settings_.keep = 3h;
  write_seldom();
  ASSERT_TRUE(live(30h, 10s));
  const auto now = std::chrono::floor<std::chrono::milliseconds>(wall_.time_since_epoch()).count();
  EXPECT_GT(ask("SELECT min(last_ms) FROM block"), now - nanoseconds(28h).count() / 1'000'000);
  EXPECT_GT(ask("SELECT min(last_ms) FROM block WHERE tier = 0"), now - nanoseconds(4h).count() / 1'000'000);
}

TEST_F(HistoryKeeperTest, AFileThatGrowsTooLargeLosesTheOldestOfTheFinest) {
  settings_.size = Bytes(256 << 10);
  write_seldom();
  ASSERT_TRUE(live(60h, 15s));
  EXPECT_LE(ask("PRAGMA page_count") * 16384, (256 << 10) + 2 * 16 * 16384);
  EXPECT_LE((ask("PRAGMA page_count") - ask("PRAGMA freelist_count")) * 16384, 256 << 10);
  EXPECT_GT(ask("SELECT min(first_ms) FROM block WHERE tier = 0"), ask("SELECT min(first_ms) FROM block"));
  const auto found = read(1h);
  ASSERT_FALSE(found.empty());
  EXPECT_LT(found.front().at - truth_.front().at, 1h);  // the hours are all there
}

TEST_F(HistoryKeeperTest, RoomThatIsFreeIsGivenBack) {
  write_seldom();
  ASSERT_TRUE(live(60h, 15s));
  const auto before = ask("PRAGMA page_count");
  settings_.size = Bytes(64 << 10);
  keeper_->configure(settings_);
  ASSERT_TRUE(live(10min));
  EXPECT_LE(ask("PRAGMA freelist_count"), 32);
  EXPECT_LT(ask("PRAGMA page_count"), before);
}

TEST_F(HistoryKeeperTest, AClockThatIsSetBackLosesNothing) {
  write_seldom();
  ASSERT_TRUE(live(2h, 5s));
  wall_ -= 90min;
  ASSERT_TRUE(live(2h, 5s));
  restart();
  std::size_t count = 0;
  for (const Found& each : read(10s)) count += each.bucket.count;
  EXPECT_EQ(count, truth_.size());
}

TEST_F(HistoryKeeperTest, AMomentOfAWrongDateDropsNothing) {
  write_seldom();
  ASSERT_TRUE(live(3h, 5s));
  wall_ += 2 * 8760h;
  ASSERT_TRUE(live(50min, 5s));
  wall_ -= 2 * 8760h;
  ASSERT_TRUE(live(3h, 5s));
  restart();
  EXPECT_EQ(read().size(), 12u * 60 * 6);  // what is dated ahead lies beyond what was asked for
}

TEST_F(HistoryKeeperTest, WhatThisProcessRemembersIsNotReadOnceMoreAtItsOldDate) {
  ASSERT_TRUE(live(10min));
  wall_ += 30min;
  ASSERT_TRUE(live(10min));
  EXPECT_THAT(read(1s, MonotonicTime(1h)), IsEmpty());
  EXPECT_THAT(read(), testing::Not(IsEmpty()));
}

TEST_F(HistoryKeeperTest, WhatAStoppedClockDatedLongAgoHidesNothing) {
  settings_.keep_seconds = 3h;
  settings_.keep_ten_seconds = 12h;
  write_seldom();
  const WallTime right = wall_;
  wall_ = WallTime(24h);
  ASSERT_TRUE(live(30min, 10s));
  wall_ = right;
  ASSERT_TRUE(live(30h, 10s));
  ASSERT_FALSE(keeper_->step(true));
  ASSERT_TRUE(sqlite::Database::open(path_, sqlite::Database::Access::own)
                  ->execute("INSERT INTO block SELECT NULL, device, tier, 1000, 2000, run, 0, layout, row_count, "
                            "checksum, data FROM block WHERE tier = 0 LIMIT 1"));  // not yet dropped
  std::size_t count = 0;
  for (const Found& each : read(1s, {}, right)) count += each.bucket.count;
  EXPECT_EQ(count, 30u * 360);
  EXPECT_GE(keeper_->oldest().value_or(WallTime()), right - 1h);  // a piece of an hour
}

TEST_F(HistoryKeeperTest, ADeviceThatComesAndGoesWithinABatchIsStored) {
  ASSERT_TRUE(live(2min));
  Snapshot both = Past::one(0, 41);
  both.devices.push_back(both.devices[0]);
  auto other = *both.devices[0].device;
  other.id = DeviceId{"GPU-b"};
  both.devices[1].device = std::make_shared<const Device>(std::move(other));
  both.monotonic = MonotonicTime(up_);
  both.taken_at = wall_;
  for (DeviceSnapshot& device : both.devices) device.read_at = wall_;
  history_->add(both);
  keeper_->see(std::make_shared<const Snapshot>(both));
  up_ += 1s;
  wall_ += 1s;
  ASSERT_TRUE(live(2min));
  restart();
  EXPECT_THAT(read(1s, {}, WallTime(), "GPU-b"), SizeIs(1));
}

TEST_F(HistoryKeeperTest, ABlockThatClaimsMoreRowsThanAnyHasIsAGap) {
  ASSERT_TRUE(live(10min));
  const std::size_t written = read().size();
  keeper_.reset();
  {
    history_file::HistoryFile file(path_);
    ASSERT_TRUE(file.open());
    history_file::Ticks ticks{.times = {1000ms}, .metrics = {{40.0}}};
    auto block = history_file::stored_block(ticks, 1'780'000'000s);
    for (const std::size_t rows : {std::size_t{100'000'000'000}, ~std::size_t{0}}) {
      block.rows = rows;
      block.run = static_cast<std::int64_t>(rows % 7);
      ASSERT_TRUE(file.append({{DeviceId{"GPU-a"}, block}}, {{"temperature_celsius"}}));
    }
    EXPECT_TRUE(file.sum_up(wall_ + 24h));
  }
  keeper_ = std::make_unique<HistoryKeeper>(settings_);
  keeper_->open(folder_);
  EXPECT_EQ(read().size(), written);
}

TEST_F(HistoryKeeperTest, OnAFullDiskItGoesOnInMemoryAndIsWrittenLater) {
  ASSERT_TRUE(live(5min));
  {
    const FaultyDisk full(FaultyDisk::Fault::full);
    EXPECT_FALSE(live(20min));
    EXPECT_EQ(keeper_->trouble(), "the history is not kept in " + path_ +
                                      ": sqlite: database or disk is full; free some space on that disk; it goes on in "
                                      "memory, and is written when that succeeds");
  }
  ASSERT_TRUE(live(1min));
  EXPECT_EQ(keeper_->trouble(), "");
  restart();
  EXPECT_EQ(read().size(), truth_.size());
}

TEST_F(HistoryKeeperTest, PausesBetweenAttemptsGrow) {
  ASSERT_TRUE(live(5min));
  tick(50, 2min);
  const FaultyDisk full(FaultyDisk::Fault::full);
  EXPECT_EQ(keeper_->step(), 1s);
  EXPECT_EQ(keeper_->step(), 2s);
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(keeper_->step());
  EXPECT_EQ(keeper_->step(), 60s);
}

TEST_F(HistoryKeeperTest, AnyWriteMayBeTheLast) {
  for (const auto fault : {FaultyDisk::Fault::broken, FaultyDisk::Fault::torn}) {
    for (int after = 0; after < 60; after += 3) {
      ASSERT_TRUE(live(3min, 20s));
      const std::size_t committed = read().size();
      ASSERT_GT(committed, 0u);
      {
        const FaultyDisk disk(fault, after);
        live(5min, 20s);
      }
      kill();
      const auto found = read();
      ASSERT_GE(found.size(), committed) << after;
      ASSERT_FALSE(std::filesystem::exists(path_ + ".damaged-1"));
      for (const Found& each : found) {
        const auto known = std::ranges::find(truth_, each.at, &Value::at);
        ASSERT_NE(known, truth_.end());
        ASSERT_EQ(each.bucket.last, known->celsius);
      }
    }
  }
}

TEST_F(HistoryKeeperTest, ADamagedFileIsMovedAsideAndWhatIsRememberedIsWrittenAnew) {
  ASSERT_TRUE(live(10min));
  keeper_.reset();
  std::filesystem::remove(path_ + "-wal");
  std::ofstream(path_, std::ios::trunc) << std::string(65536, 'z');
  keeper_ = std::make_unique<HistoryKeeper>(settings_);
  keeper_->remember(history_);
  keeper_->open(folder_);
  EXPECT_EQ(keeper_->step(), 1s);
  EXPECT_EQ(keeper_->take_notice(), path_ + " was damaged (sqlite: file is not a database); it was moved to " + path_ +
                                        ".damaged-1, and a new one was begun");
  EXPECT_EQ(keeper_->take_notice(), "");
  tick(50, 1s);
  EXPECT_FALSE(keeper_->step(true));
  EXPECT_EQ(keeper_->trouble(), "");
  EXPECT_EQ(read().size(), truth_.size());
}

TEST_F(HistoryKeeperTest, ABlockWhoseBytesHaveChangedIsAGap) {
  ASSERT_TRUE(live(10min));
  auto file = sqlite::Database::open(path_, sqlite::Database::Access::own);
  ASSERT_TRUE(file->execute("UPDATE block SET data = CAST(zeroblob(length(data)) AS BLOB) WHERE id = 3"));
  const auto found = read();
  EXPECT_EQ(found.size(), 480u);
}

TEST_F(HistoryKeeperTest, AFileThatWasRemovedIsBegunAnew) {
  ASSERT_TRUE(live(10min));
  std::filesystem::remove(path_);
  ASSERT_TRUE(live(1min));
  EXPECT_EQ(keeper_->take_notice(), path_ + " was removed; a new one was begun");
  EXPECT_EQ(read().size(), 600u);
}

TEST_F(HistoryKeeperTest, AFileOfANewerVersionIsLeftAlone) {
  ASSERT_TRUE(live(1min));
  ASSERT_TRUE(sqlite::Database::open(path_, sqlite::Database::Access::own)->execute("PRAGMA user_version = 99"));
  kill();
  EXPECT_FALSE(live(1min));
  EXPECT_THAT(keeper_->trouble(), HasSubstr("it was written by a newer gpukeeper (version 99"));
  EXPECT_EQ(ask("PRAGMA user_version"), 99);
}

TEST_F(HistoryKeeperTest, SwitchedOffItWritesNothingAndReadsNothing) {
  ASSERT_TRUE(live(5min));
  settings_.enabled = false;
  keeper_->configure(settings_);
  ASSERT_TRUE(live(5min));
  EXPECT_THAT(read(), IsEmpty());
  settings_.enabled = true;
  keeper_->configure(settings_);
  ASSERT_TRUE(live(1min));
  EXPECT_EQ(read().size(), 600u);  // what memory has
}

TEST_F(HistoryKeeperTest, TheThreadWritesWhatIsLeftAtTheEnd) {
  for (int i = 0; i < 90; ++i) tick(50, 1s);
  keeper_->start();
  keeper_->ask_to_stop();
  keeper_.reset();  // waits for it
  begin();
  EXPECT_EQ(read().size(), 90u);
}

TEST(HistoryStoreSettingsTest, ACoarserTierIsKeptNoShorter) {
  EXPECT_THAT(check(HistoryStoreSettings()), IsEmpty());
  HistoryStoreSettings settings;
  settings.keep_ten_seconds = 1h;
  EXPECT_THAT(check(settings),
              testing::ElementsAre("history.store.keep_10s must not be shorter than history.store.keep_1s: the further "
                                   "back, the coarser it is kept"));
}

}  // namespace
}  // namespace gpukeeper
