#include "postgres/database_export.hpp"

#include <gtest/gtest.h>

#include "../fakes/fake_clock.hpp"
#include "../fakes/fake_log.hpp"
#include "../fakes/snapshots.hpp"
#include "fake_database.hpp"

namespace gpukeeper::postgres {
namespace {

using namespace std::chrono_literals;

class DatabaseExportTest : public testing::Test {
 protected:
  DatabaseExportTest() {
    auto connector = std::make_unique<FakeDatabase>();
    database_ = connector.get();
    DatabaseSettings settings{.url = "postgresql://db/x"};
    settings.metrics = {"power_watts"};
    export_ = std::make_unique<DatabaseExport>(settings, "node", std::move(connector), log_);
  }

  void see(std::chrono::nanoseconds at, bool replayed = false) {
    Snapshot snapshot;
    snapshot.sequence = 1;
    snapshot.taken_at = kThen;
    snapshot.monotonic = MonotonicTime(at);
    snapshot.replayed = replayed;
    snapshot.devices = {device(0, facts("GPU-a", "A", "0000:01:00.0"), busy())};
    export_->see(snapshot);
  }
  // All that was seen, once the thread has ended.
  std::size_t rows() {
    export_->begin_stop();
    while (!export_->ended()) std::this_thread::yield();
    return database_->rows.size();
  }

  FakeClock clock_;
  Log log_{clock_, std::make_shared<FakeLogTarget>()};
  FakeDatabase* database_ = nullptr;
  std::unique_ptr<DatabaseExport> export_;
};

TEST_F(DatabaseExportTest, WritesAsOftenAsIsSetAndWhatIsSeenLast) {
  for (int second = 0; second <= 40; ++second) see(second * 1s);
  EXPECT_EQ(rows(), 5U);
}

TEST_F(DatabaseExportTest, WhatIsLateIsNotMadeUpFor) {
  see(0s);
  see(35s);
  see(36s);
  see(44s);
  see(45s);
  EXPECT_EQ(rows(), 3U);
}

TEST_F(DatabaseExportTest, ARecordingIsNotWritten) {
  see(0s, true);
  see(10s, true);
  EXPECT_EQ(rows(), 0U);
}

TEST_F(DatabaseExportTest, NoTwoRunsHaveOneName) {
  EXPECT_NE(new_stream(), new_stream());
  EXPECT_EQ(new_stream().size(), 32U);
}

}  // namespace
}  // namespace gpukeeper::postgres
