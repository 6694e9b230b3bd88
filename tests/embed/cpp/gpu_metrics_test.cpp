#include "gpukeeper/gpu_metrics.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpukeeper/mock_gpu_backend.hpp"

namespace gpukeeper {
namespace {

TEST(GpuMetricsTest, NothingIsKnownOfARecordThatNobodyFilled) {
  const GpuMetrics m;
  EXPECT_EQ(m.device_id, 0U);
  EXPECT_EQ(m.name, "");
  EXPECT_FALSE(m.temperature_celsius);
  EXPECT_FALSE(m.memory_percent());
  EXPECT_FALSE(m.power_percent());
  EXPECT_FALSE(m.memory_used_mb());
}

TEST(GpuMetricsTest, MemoryPercentIsUsedOfTotal) {
  EXPECT_DOUBLE_EQ(*GpuMetrics({.memory_used_bytes = 1, .memory_total_bytes = 3}).memory_percent(), 100.0 / 3);
  EXPECT_EQ(GpuMetrics({.memory_used_bytes = 5, .memory_total_bytes = 0}).memory_percent(), 0);
  EXPECT_EQ(GpuMetrics({.memory_used_bytes = 6, .memory_total_bytes = 4}).memory_percent(), 150);  // not clamped
  EXPECT_EQ(GpuMetrics({.memory_used_bytes = 5}).memory_percent(), std::nullopt);
}

TEST(GpuMetricsTest, PowerPercentIsOfTheLimit) {
  EXPECT_EQ(GpuMetrics({.power_watts = 225, .power_limit_watts = 450}).power_percent(), 50);
  EXPECT_EQ(GpuMetrics({.power_watts = 225, .power_limit_watts = 0}).power_percent(), 0);
  EXPECT_EQ(GpuMetrics({.power_watts = 225, .power_limit_watts = -1}).power_percent(), 0);
  EXPECT_EQ(GpuMetrics({.power_watts = 500, .power_limit_watts = 400}).power_percent(), 125);
  EXPECT_EQ(GpuMetrics({.power_limit_watts = 400}).power_percent(), std::nullopt);
}

TEST(GpuMetricsTest, MemoryHasBothSpellings) {
  const GpuMetrics m{.memory_used_bytes = (8192ULL << 20) + 1023, .memory_total_bytes = 24576ULL << 20};
  EXPECT_EQ(m.memory_used_mb(), 8192U);
  EXPECT_EQ(m.memory_total_mb(), 24576U);
}

TEST(GpuMetricsTest, JsonHasTheDocumentedNames) {
  EXPECT_EQ(to_json(mock_gpu_metrics(1)),
            R"({"device_id":1,"name":"Mock GPU 1","utilization_percent":75,"memory_used_bytes":8589934592,)"
            R"("memory_total_bytes":25769803776,"memory_utilization_percent":33,"temperature_celsius":65,)"
            R"("power_watts":250.0,"power_limit_watts":450.0,"clock_mhz":2100,"memory_clock_mhz":10000,)"
            R"("pcie_tx_kbps":1000,"pcie_rx_kbps":2000,"fan_speed_percent":50,"memory_used_mb":8192,)"
            R"("memory_total_mb":24576,"processes":[{"pid":12345,"exe_path":"/usr/bin/mock_training",)"
            R"("gpu_memory_mb":4096,"cpu_percent":95.0,"rss_mb":2048}],"available":true,"reason":null,)"
            R"("simulated":true})");
}

TEST(GpuMetricsTest, WhatIsAbsentIsNull) {
  GpuMetrics m{.name = "bad \xff name", .power_watts = std::numeric_limits<double>::quiet_NaN(), .available = false};
  m.reason = "it has left the bus";
  EXPECT_EQ(
      to_json(std::vector{m}),
      R"([{"device_id":0,"name":"bad )"
      "\xef\xbf\xbd"
      R"( name","utilization_percent":null,"memory_used_bytes":null,"memory_total_bytes":null,)"
      R"("memory_utilization_percent":null,"temperature_celsius":null,"power_watts":null,"power_limit_watts":null,)"
      R"("clock_mhz":null,"memory_clock_mhz":null,"pcie_tx_kbps":null,"pcie_rx_kbps":null,)"
      R"("fan_speed_percent":null,"memory_used_mb":null,"memory_total_mb":null,"processes":[],)"
      R"("available":false,"reason":"it has left the bus","simulated":false}])");
}

TEST(GpuMetricsTest, WhatIsWrittenIsReadAgain) {
  EXPECT_EQ(read_gpu_metrics(to_json(mock_gpu_metrics(3))), mock_gpu_metrics(3));
  EXPECT_EQ(read_gpu_metrics(to_json(GpuMetrics{})), GpuMetrics{});
}

TEST(GpuMetricsTest, TheOtherSpellingOfMemoryIsReadToo) {
  const auto m = read_gpu_metrics(R"({"memory_used_mb":8192,"memory_total_mb":24576,"more":1})");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->memory_used_bytes, 8192ULL << 20);
  EXPECT_EQ(m->memory_total_bytes, 24576ULL << 20);
}

TEST(GpuMetricsTest, WhatIsWrongIsSaid) {
  const auto mistake = [](std::string_view json) {
    std::string said = "nothing";
    EXPECT_EQ(read_gpu_metrics(json, &said), std::nullopt) << json;
    EXPECT_EQ(read_gpu_metrics(json), std::nullopt);
    return said;
  };
  EXPECT_EQ(mistake("[]"), "the metrics of a GPU are a JSON object");
  EXPECT_EQ(mistake("{"), "the metrics of a GPU are a JSON object");
  EXPECT_EQ(mistake(R"({"temperature_celsius":-1})"),
            "'temperature_celsius' must be a whole number from 0 to 4294967295");
  EXPECT_EQ(mistake(R"({"power_watts":"much"})"), "'power_watts' must be a number");
  EXPECT_EQ(mistake(R"({"name":5})"), "'name' must be a text");
  EXPECT_EQ(mistake(R"({"available":1})"), "'available' must be true or false");
  EXPECT_EQ(mistake(R"({"memory_used_mb":17592186044416})"), "'memory_used_mb' must be less than 2^44");
  EXPECT_EQ(mistake(R"({"processes":{}})"), "'processes' must be an array");
  EXPECT_EQ(mistake(R"({"processes":[1]})"), "'processes' must be an array of objects");
  EXPECT_EQ(mistake(R"({"processes":[{"pid":4294967296}]})"), "'pid' must be a whole number from 0 to 4294967295");
}

TEST(GpuMetricsTest, RecordsCompareByValue) {
  EXPECT_EQ(mock_gpu_metrics(0), mock_gpu_metrics(0));
  EXPECT_NE(mock_gpu_metrics(0), mock_gpu_metrics(1));
}

}  // namespace
}  // namespace gpukeeper
