#include "embed/cpp/snapshot_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "format/snapshot_json.hpp"

namespace gpukeeper {
namespace {

using testing::SizeIs;

TEST(SnapshotMetricsTest, ReadingsAreTheDocumentedNumbers) {
  const auto metrics = embed::metrics_of(four_gpus());
  ASSERT_THAT(metrics, SizeIs(4));
  const GpuMetrics& m = metrics[0];
  EXPECT_EQ(m.device_id, 0U);
  EXPECT_EQ(m.name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(m.utilization_percent, 97U);  // 97.4, cut off
  EXPECT_EQ(m.temperature_celsius, 64U);
  EXPECT_EQ(m.memory_used_mb(), 62'000U);
  EXPECT_EQ(m.memory_total_mb(), 81'559U);
  EXPECT_DOUBLE_EQ(*m.power_watts, 612.345678);
  EXPECT_EQ(m.power_limit_watts, 700);
  EXPECT_TRUE(m.available);
  EXPECT_EQ(m.reason, "");
  EXPECT_FALSE(m.simulated);
}

TEST(SnapshotMetricsTest, AGpuThatCannotBeReadIsThereWithItsReason) {
  const auto metrics = embed::metrics_of(four_gpus());
  GpuMetrics expected{.device_id = 3, .name = "NVIDIA H100 80GB HBM3", .available = false};
  expected.reason = "driver did not answer";
  EXPECT_EQ(metrics[3], expected);
  EXPECT_FALSE(metrics[2].available);
  EXPECT_EQ(metrics[2].reason, "asleep (runtime-suspended); it is not woken to be looked at");
}

TEST(SnapshotMetricsTest, ProcessesAreNamedByTheirProgramOrTheirPid) {
  Snapshot snapshot = four_gpus();
  set_processes(snapshot.devices[0], {told(process(4242, "python3", 12'000), mara_trains(4242)), process(5, "x", 1)});
  const auto processes = embed::metrics_of(snapshot)[0].processes;
  ASSERT_THAT(processes, SizeIs(2));
  EXPECT_EQ(processes[0], (GpuMetrics::Process{.pid = 4242,
                                               .exe_path = "/usr/bin/python3.11",
                                               .gpu_memory_mb = 12'000,
                                               .cpu_percent = 118,
                                               .rss_mb = 6'144}));
  EXPECT_EQ(processes[1], (GpuMetrics::Process{.pid = 5, .exe_path = "[pid 5]", .gpu_memory_mb = 1}));
}

TEST(SnapshotMetricsTest, APartitionIsNoGpuOfItsOwn) {
  EXPECT_THAT(embed::metrics_of(split_gpu()), SizeIs(1));
}

TEST(SnapshotMetricsTest, ADocumentSaysTheSame) {
  const Snapshot snapshot = four_gpus();
  const auto read = read_snapshot(snapshot_json(snapshot, false));
  ASSERT_TRUE(read);
  ASSERT_THAT(*read, SizeIs(4));
  EXPECT_EQ((*read)[3], embed::metrics_of(snapshot)[3]);
  EXPECT_EQ((*read)[0].temperature_celsius, 64U);
}

TEST(SnapshotMetricsTest, WhatIsNoSnapshotIsSaid) {
  std::string mistake;
  EXPECT_FALSE(read_snapshot("[]", &mistake));
  EXPECT_EQ(mistake, "is no JSON object, or has one that is too large");
  EXPECT_FALSE(read_snapshot("{"));
}

TEST(SnapshotMetricsTest, ASnapshotForMetricsHasWhatIsKnown) {
  const Snapshot snapshot = embed::snapshot_of({{.device_id = 4, .temperature_celsius = 50}});
  ASSERT_THAT(snapshot.devices, SizeIs(1));
  EXPECT_EQ(snapshot.devices[0].index, 4U);
  EXPECT_EQ(snapshot.devices[0].reading.temperature, Celsius(50));
  EXPECT_FALSE(snapshot.devices[0].reading.power);
}

}  // namespace
}  // namespace gpukeeper
