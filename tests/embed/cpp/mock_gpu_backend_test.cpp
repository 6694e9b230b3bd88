#include "gpukeeper/mock_gpu_backend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(MockGpuBackendTest, TheDocumentedChainGivesTheDocumentedRecord) {
  auto mock = MockGpuBackend()
                  .with_device(0, "Mock GPU 0")
                  .with_temperature(75)
                  .with_utilization(85)
                  .with_memory(8ULL * 1024 * 1024 * 1024, 16ULL * 1024 * 1024 * 1024);
  EXPECT_THAT(mock.collect_metrics(), ElementsAre(GpuMetrics{.device_id = 0,
                                                             .name = "Mock GPU 0",
                                                             .utilization_percent = 85,
                                                             .memory_used_bytes = 8589934592,
                                                             .memory_total_bytes = 17179869184,
                                                             .temperature_celsius = 75,
                                                             .simulated = true}));
  EXPECT_EQ(mock.num_devices(), 1U);
}

TEST(MockGpuBackendTest, HasNoGpuUntilOneIsNamed) {
  MockGpuBackend mock;
  EXPECT_EQ(mock.num_devices(), 0U);
  EXPECT_THAT(mock.collect_metrics(), IsEmpty());
}

TEST(MockGpuBackendTest, EachChangeIsOfTheDeviceNamedLast) {
  auto mock = MockGpuBackend()
                  .with_device(1, "b")
                  .with_temperature(50)
                  .with_device(0, "a")
                  .with_temperature(40)
                  .with_device(1, "c")
                  .with_power(200, 400);
  EXPECT_THAT(mock.collect_metrics(),
              ElementsAre(GpuMetrics{.device_id = 0, .name = "a", .temperature_celsius = 40, .simulated = true},
                          GpuMetrics{.device_id = 1,
                                     .name = "c",
                                     .temperature_celsius = 50,
                                     .power_watts = 200,
                                     .power_limit_watts = 400,
                                     .simulated = true}));
}

TEST(MockGpuBackendTest, AChangeBeforeAnyDeviceIsOfTheFirst) {
  EXPECT_THAT(MockGpuBackend().with_temperature(75).collect_metrics(),
              ElementsAre(GpuMetrics{.name = "Mock GPU 0", .temperature_celsius = 75, .simulated = true}));
}

TEST(MockGpuBackendTest, AChainLeavesWhatItStartsFrom) {
  const auto cool = MockGpuBackend().with_temperature(40);
  auto hot = cool.with_temperature(90);
  EXPECT_EQ(hot.collect_metrics()[0].temperature_celsius, 90U);
  EXPECT_EQ(MockGpuBackend(cool).collect_metrics()[0].temperature_celsius, 40U);
}

}  // namespace
}  // namespace gpukeeper
