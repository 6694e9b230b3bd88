#include "gpukeeper/gpu_monitor.hpp"

#include <cmath>
#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kTwoGpus = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml";

GpuMonitor two_gpus() {
  return GpuMonitor::create({.source = kTwoGpus, .ledger_in_memory = true});
}

class FailingBackend final : public GpuBackend {
 public:
  std::uint32_t num_devices() override { return 1; }
  std::vector<GpuMetrics> collect_metrics() override { throw Error(GK_UNAVAILABLE, "the cable is out"); }
};

TEST(GpuMonitorTest, AMockHasTheDocumentedGpus) {
  const GpuMonitor monitor = GpuMonitor::mock(2);
  EXPECT_TRUE(monitor.is_mock());
  EXPECT_EQ(monitor.num_devices(), 2U);
  EXPECT_THAT(monitor.sample(), ElementsAre(mock_gpu_metrics(0), mock_gpu_metrics(1)));
  EXPECT_EQ(monitor.collect_metrics(), monitor.sample());
  EXPECT_THAT(GpuMonitor::mock(0).sample(), IsEmpty());
}

TEST(GpuMonitorTest, TheDocumentedGpuIsTheDocumentedOne) {
  const GpuMetrics m = GpuMonitor::mock(1).sample()[0];
  EXPECT_EQ(m.name, "Mock GPU 0");
  EXPECT_EQ(m.utilization_percent, 75U);
  EXPECT_EQ(m.memory_used_mb(), 8192U);
  EXPECT_EQ(m.memory_total_mb(), 24576U);
  EXPECT_EQ(m.memory_utilization_percent, 33U);
  EXPECT_EQ(m.temperature_celsius, 65U);
  EXPECT_EQ(m.power_watts, 250);
  EXPECT_EQ(m.power_limit_watts, 450);
  EXPECT_EQ(m.clock_mhz, 2100U);
  EXPECT_EQ(m.memory_clock_mhz, 10000U);
  EXPECT_EQ(m.pcie_tx_kbps, 1000U);
  EXPECT_EQ(m.pcie_rx_kbps, 2000U);
  EXPECT_EQ(m.fan_speed_percent, 50U);
  EXPECT_THAT(m.processes, ElementsAre(GpuMetrics::Process{12345, "/usr/bin/mock_training", 4096, 95, 2048}));
}

TEST(GpuMonitorTest, AMockVaries) {
  const GpuMonitor monitor = GpuMonitor::mock(1);
  const auto at = [&](double v) { return monitor.sample_with_variation(v)[0]; };
  EXPECT_EQ(at(0), mock_gpu_metrics(0));
  EXPECT_EQ(at(1).utilization_percent, 85U);
  EXPECT_EQ(at(1).temperature_celsius, 70U);
  EXPECT_EQ(at(1).power_watts, 270);
  EXPECT_EQ(at(0.55).utilization_percent, 80U);  // trunc(5.5)
  EXPECT_EQ(at(0.55).temperature_celsius, 67U);  // 5 / 2
  EXPECT_EQ(at(-0.55).utilization_percent, 70U);
  EXPECT_EQ(at(-0.55).temperature_celsius, 63U);
  EXPECT_EQ(at(100).utilization_percent, 100U);
  EXPECT_EQ(at(100).temperature_celsius, 100U);
  EXPECT_EQ(at(100).power_watts, 450);
  EXPECT_EQ(at(-100).utilization_percent, 0U);
  EXPECT_EQ(at(-100).temperature_celsius, 30U);
  EXPECT_EQ(at(-100).power_watts, 0);
  EXPECT_EQ(at(std::nan("")), mock_gpu_metrics(0));
  EXPECT_EQ(monitor.sample()[0], mock_gpu_metrics(0));  // nothing of it stays
}

TEST(GpuMonitorTest, WhatIsAbsentStaysAbsentHoweverItVaries) {
  EXPECT_EQ(varied(GpuMetrics{}, 5), GpuMetrics{});
}

TEST(GpuMonitorTest, MockMetricsMakeAMockOfIt) {
  GpuMonitor monitor = two_gpus();
  EXPECT_FALSE(monitor.is_mock());
  EXPECT_THAT(monitor.sample_with_variation(1), IsEmpty());
  const GpuMonitor same = monitor;
  monitor.set_mock_metrics({mock_gpu_metrics(7)});
  EXPECT_TRUE(same.is_mock());
  EXPECT_EQ(same.num_devices(), 1U);
  EXPECT_THAT(same.sample(), ElementsAre(mock_gpu_metrics(7)));
}

TEST(GpuMonitorTest, AMockBackendIsAMonitor) {
  const GpuMonitor monitor = MockGpuBackend().with_device(0, "Mock GPU 0").with_temperature(75);
  EXPECT_TRUE(monitor.is_mock());
  EXPECT_EQ(monitor.sample()[0].temperature_celsius, 75U);
}

TEST(GpuMonitorTest, ABackendOfOnesOwnIsNoMock) {
  const GpuMonitor monitor(std::make_shared<FailingBackend>());
  EXPECT_FALSE(monitor.is_mock());
  EXPECT_EQ(monitor.num_devices(), 1U);
  try {
    static_cast<void>(monitor.collect_metrics());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), GK_UNAVAILABLE);
    EXPECT_STREQ(error.what(), "the cable is out");
  }
}

TEST(GpuMonitorTest, SeesTheGpusAndTheirProcesses) {
  const GpuMonitor monitor = two_gpus();
  EXPECT_EQ(monitor.num_devices(), 2U);
  const auto metrics = monitor.collect_metrics();
  ASSERT_THAT(metrics, SizeIs(2));
  const GpuMetrics& first = metrics[0];
  EXPECT_EQ(first.device_id, 0U);
  EXPECT_EQ(first.name, "NVIDIA GeForce RTX 4090");
  EXPECT_TRUE(first.available);
  EXPECT_TRUE(first.simulated);
  EXPECT_EQ(first.power_limit_watts, 450);
  EXPECT_EQ(first.memory_total_mb(), 24564U);
  EXPECT_TRUE(first.temperature_celsius);
  EXPECT_TRUE(first.clock_mhz);
  EXPECT_TRUE(first.memory_clock_mhz);
  EXPECT_TRUE(first.pcie_tx_kbps);
  EXPECT_TRUE(first.fan_speed_percent);
  ASSERT_THAT(first.processes, SizeIs(2));
  EXPECT_EQ(first.processes[0].pid, 1893U);
  EXPECT_EQ(first.processes[0].exe_path, "/usr/lib/xorg/Xorg");
  EXPECT_EQ(first.processes[0].gpu_memory_mb, 9U);
  EXPECT_EQ(first.processes[0].rss_mb, 131U);
  EXPECT_TRUE(first.processes[0].cpu_percent);
  EXPECT_EQ(metrics[1].device_id, 1U);
}

TEST(GpuMonitorTest, AnOptionThatCannotBeFollowedIsSaid) {
  try {
    GpuMonitor::create({.source = "simulated:/nowhere.yaml"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), GK_NOT_FOUND);
    EXPECT_THAT(error.what(), HasSubstr("/nowhere.yaml"));
  }
}

TEST(GpuMonitorTest, IsAMockWithoutGpusWhereNothingCanBeOpened) {
  ::setenv("GPUKEEPER_SOURCE", "simulated:/nowhere.yaml", 1);
  const GpuMonitor monitor;
  ::unsetenv("GPUKEEPER_SOURCE");
  EXPECT_TRUE(monitor.is_mock());
  EXPECT_EQ(monitor.num_devices(), 0U);
}

TEST(GpuMonitorTest, ManyThreadsMayAskABackend) {
  class OneAtATime final : public GpuBackend {
   public:
    std::uint32_t num_devices() override { return 0; }
    std::vector<GpuMetrics> collect_metrics() override {
      ++calls;  // the thread sanitizer sees who is not alone
      return {};
    }
    int calls = 0;
  };
  const auto backend = std::make_shared<OneAtATime>();
  const GpuMonitor monitor(backend);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 100; ++j) static_cast<void>(monitor.sample());
      });
    }
  }
  EXPECT_EQ(backend->calls, 800);
}

}  // namespace
}  // namespace gpukeeper
