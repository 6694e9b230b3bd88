#include "gpukeeper/gpu_metrics_buffer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpukeeper/sparkline.hpp"

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

GpuMetrics sample(std::uint32_t device, std::uint32_t utilization) {
  return {.device_id = device,
          .utilization_percent = utilization,
          .memory_used_bytes = utilization,
          .memory_total_bytes = 200,
          .temperature_celsius = utilization + 20};
}

TEST(GpuMetricsBufferTest, IsEmptyAtFirstAndOfWhatItNeverSaw) {
  const GpuMetricsBuffer buffer(3, 2);
  for (const std::uint32_t device : {0U, 1U, 7U}) {
    EXPECT_TRUE(buffer.is_empty(device));
    EXPECT_EQ(buffer.len(device), 0U);
    EXPECT_THAT(buffer.last_n(device, 5), IsEmpty());
    EXPECT_THAT(buffer.utilization_history(device), IsEmpty());
    EXPECT_THAT(buffer.temperature_history(device), IsEmpty());
    EXPECT_THAT(buffer.memory_history(device), IsEmpty());
  }
}

TEST(GpuMetricsBufferTest, KeepsTheLatestOldestFirst) {
  GpuMetricsBuffer buffer(3, 1);
  for (const std::uint32_t value : {10U, 20U, 30U, 40U}) buffer.push({{sample(0, value)}});
  EXPECT_EQ(buffer.len(0), 3U);
  EXPECT_FALSE(buffer.is_empty(0));
  EXPECT_THAT(buffer.utilization_history(0), ElementsAre(20U, 30U, 40U));
  EXPECT_THAT(buffer.temperature_history(0), ElementsAre(40U, 50U, 60U));
  EXPECT_THAT(buffer.memory_history(0), ElementsAre(10.0, 15.0, 20.0));
}

TEST(GpuMetricsBufferTest, GivesTheLastFew) {
  GpuMetricsBuffer buffer(10, 1);
  for (const std::uint32_t value : {10U, 20U, 30U}) buffer.push({{sample(0, value)}});
  EXPECT_THAT(buffer.last_n(0, 2), ElementsAre(sample(0, 20), sample(0, 30)));
  EXPECT_THAT(buffer.last_n(0, 99), ElementsAre(sample(0, 10), sample(0, 20), sample(0, 30)));
  EXPECT_THAT(buffer.last_n(0, 0), IsEmpty());
}

TEST(GpuMetricsBufferTest, ADeviceThatComesLaterHasItsOwnRoom) {
  GpuMetricsBuffer buffer(2, 1);
  buffer.push({{sample(0, 1), sample(5, 50)}});
  buffer.push({{sample(5, 51)}});
  EXPECT_THAT(buffer.utilization_history(0), ElementsAre(1U));
  EXPECT_THAT(buffer.utilization_history(5), ElementsAre(50U, 51U));
}

TEST(GpuMetricsBufferTest, AbsentValuesKeepTheirPlaceAndCanBeDrawn) {
  GpuMetricsBuffer buffer(5, 1);
  buffer.push({{sample(0, 0)}});
  buffer.push({{GpuMetrics{.available = false}}});
  buffer.push({{sample(0, 100)}});
  EXPECT_THAT(buffer.utilization_history(0), ElementsAre(0U, std::nullopt, 100U));
  EXPECT_EQ(sparkline(buffer.utilization_history(0)), "▁ █");
}

TEST(GpuMetricsBufferTest, NoRoomAtAllIsRoomForOne) {
  GpuMetricsBuffer buffer(0);
  buffer.push({{sample(0, 1)}});
  buffer.push({{sample(0, 2)}});
  EXPECT_THAT(buffer.utilization_history(0), ElementsAre(2U));
}

TEST(GpuMetricsBufferTest, ManySamplesTakeNoMoreRoom) {
  GpuMetricsBuffer buffer(100, 1);
  for (std::uint32_t i = 0; i < 10'000; ++i) buffer.push({{sample(0, i)}});
  EXPECT_EQ(buffer.len(0), 100U);
  EXPECT_EQ(buffer.last_n(0, 1)[0].utilization_percent, 9'999U);
}

}  // namespace
}  // namespace gpukeeper
