#include "postgres/reading_rows.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "../fakes/snapshots.hpp"
#include "postgres/database_export.hpp"

namespace gpukeeper::postgres {
namespace {

const std::vector<std::string> kMetrics = {"temperature_celsius", "memory_used_bytes", "power_watts", "fan_percent"};

Snapshot with(std::vector<DeviceSnapshot> devices) {
  Snapshot snapshot;
  snapshot.sequence = 1;
  snapshot.taken_at = kThen;
  snapshot.devices = std::move(devices);
  return snapshot;
}

TEST(ReadingRowsTest, ARowADeviceWithAColumnAMetric) {
  WrittenReadings written;
  auto one = device(0, facts("GPU-a", "NVIDIA H200", "0000:01:00.0"), busy());
  one.throttling.state = State::normal;
  const Tick tick = tick_of(with({one}), rows_of(kMetrics), written);
  EXPECT_EQ(tick.at, kThen);
  ASSERT_EQ(tick.rows.size(), 1U);
  EXPECT_EQ(tick.rows[0].device->id.text, "GPU-a");
  EXPECT_EQ(tick.rows[0].values, "\tnormal\t64\t65011712000\t612.345678\t45");
}

TEST(ReadingRowsTest, WhatIsAbsentIsNullAndNotZero) {
  WrittenReadings written;
  auto one = device(3, facts("GPU-a", "A", "0000:01:00.0"), Reading{Missing::not_supported});
  one.available = false;
  one.throttling.state = State::normal;  // of before it was lost
  EXPECT_EQ(tick_of(with({one}), rows_of(kMetrics), written).rows[0].values, "\tunavailable\t\\N\t\\N\t\\N\t\\N");
  one.available = true;
  one.throttling.state = State::normal;
  one.reading.power = Watts(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(tick_of(with({one}), rows_of({"power_watts"}), written).rows[0].values, "\tnormal\t\\N");
}

TEST(ReadingRowsTest, PartitionsHaveRowsWithTheIndexOfTheirDevice) {
  WrittenReadings written;
  auto one = device(2, facts("GPU-a", "A", "0000:01:00.0"), busy());
  one.partitions.push_back(device(1, facts("MIG-a", "A", "0000:01:00.0"), busy()));
  one.partitions[0].parent_index = 2;
  const Tick tick = tick_of(with({one}), rows_of(kMetrics), written);
  ASSERT_EQ(tick.rows.size(), 2U);
  EXPECT_EQ(tick.rows[1].device->id.text, "MIG-a");
  EXPECT_EQ(tick.rows[1].index, 2U);
  EXPECT_EQ(tick.rows[1].partition_index, 1U);
  EXPECT_EQ(tick.rows[0].partition_index, std::nullopt);
}

// A driver takes longer than from tick to tick: the same reading stands in two snapshots, and was measured once.
TEST(ReadingRowsTest, AReadingThatStandsTwiceIsWrittenOnce) {
  WrittenReadings written;
  auto one = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  one.throttling.state = State::normal;
  const auto values = [&] { return tick_of(with({one}), rows_of({"fan_percent"}), written).rows[0].values; };
  EXPECT_EQ(values(), "\tnormal\t45");
  EXPECT_EQ(values(), "\tnormal\t\\N");
  one.read_at = kThen + std::chrono::seconds(1);
  EXPECT_EQ(values(), "\tnormal\t45");
}

}  // namespace
}  // namespace gpukeeper::postgres
