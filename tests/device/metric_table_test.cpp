#include "device/metric_table.hpp"

#include <set>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

TEST(MetricTableTest, NamesAreUniqueAndEndInTheirUnit) {
  const std::set<std::string_view> abbreviated = {"megahertz", "bytes/second"};
  std::set<std::string_view> names;
  for (const MetricRow& row : metric_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.help.empty()) << row.name;
    const bool spelled_out = !row.unit.empty() && !abbreviated.contains(row.unit);
    EXPECT_TRUE(!spelled_out || row.name.ends_with(row.unit)) << row.name;
  }
}

TEST(MetricTableTest, TheKeysThatTheSchemaPromisesAreThere) {
  for (const auto* name : {"temperature_celsius", "fan_percent", "fan_rpm", "utilization_percent", "memory_used_bytes",
                           "memory_total_bytes", "memory_free_bytes", "power_watts", "power_limit_watts",
                           "clock_graphics_mhz", "clock_memory_mhz"}) {
    EXPECT_NE(find_metric(name), nullptr) << name;
  }
  EXPECT_EQ(find_metric("temperature"), nullptr);
}

TEST(MetricTableTest, AnAbsentMetricKeepsItsReason) {
  const Device device;
  for (const auto reason : {Missing::asleep, Missing::not_permitted}) {
    for (const MetricRow& row : metric_table()) {
      const auto value = row.value(device, Reading{reason});
      ASSERT_FALSE(value) << row.name;
      EXPECT_TRUE(value.error() == reason || value.error() == Missing::not_supported) << row.name;
    }
  }
}

TEST(MetricTableTest, ValuesKeepTheirKind) {
  Reading reading;
  reading.power = from_milliwatts(71'525);
  reading.memory_used = 3_MiB;
  reading.persistence_mode = true;
  reading.throttle_reasons = ThrottleReasons();
  reading.throttle_power_time = std::chrono::milliseconds(1500);
  const auto text = [&](std::string_view name) { return to_string(*find_metric(name)->value(Device(), reading)); };
  EXPECT_EQ(text("power_watts"), "71.525");
  EXPECT_EQ(text("memory_used_bytes"), "3145728");
  EXPECT_EQ(text("persistence_mode"), "true");
  EXPECT_EQ(text("throttle_reasons"), "none");
  EXPECT_EQ(text("throttle_power_seconds"), "1.5");
}

TEST(MetricTableTest, NumbersPrintWithoutNoise) {
  EXPECT_EQ(to_string(MetricValue(700.0)), "700");
  EXPECT_EQ(to_string(MetricValue(0.1 + 0.2)), "0.3");
  EXPECT_EQ(to_string(MetricValue(-0.0001)), "0");
}

TEST(ReadingTest, FreeMemoryAndMarginFollowFromTheRest) {
  Reading reading;
  reading.memory_total = 100_MiB;
  reading.memory_used = 30_MiB;
  reading.memory_reserved = 10_MiB;
  reading.temperature = Celsius(60);
  reading.temperature_slowdown = Celsius(93);
  complete(reading);
  EXPECT_EQ(reading.memory_free, 60_MiB);
  EXPECT_EQ(reading.temperature_margin, Celsius(33));
}

TEST(ReadingTest, TheMarginOfADeviceWithoutAnEdgeIsThatOfItsHotspot) {
  Reading reading{Missing::not_supported};
  reading.temperature_hotspot = Celsius(65);
  reading.temperature_slowdown = Celsius(100);
  complete(reading);
  EXPECT_EQ(reading.temperature_margin, Celsius(35));
  reading.temperature = missing(Missing::failed);
  reading.temperature_margin = missing(Missing::not_supported);
  complete(reading);
  EXPECT_FALSE(reading.temperature_margin) << "the limit is the edge's where there is one";
}

TEST(ReadingTest, MemoryPercentOfNothingIsAbsent) {
  Reading reading;
  EXPECT_FALSE(memory_percent(reading));
  reading.memory_used = Bytes(0);
  reading.memory_total = Bytes(0);
  EXPECT_FALSE(memory_percent(reading));
}

}  // namespace
}  // namespace gpukeeper
