#include "gpukeeper/keeper.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint64_t kGiB = 1ULL << 30;

Keeper two_gpus() {
  return Keeper(
      {.source = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml", .ledger_in_memory = true});
}

// What it threw; fails when it did not.
template <class Call>
Error thrown_by(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {GK_OK, ""};
}

TEST(CppKeeperTest, ReadsAGpu) {
  const Keeper keeper = two_gpus();
  EXPECT_EQ(keeper.device_count(), 2U);
  EXPECT_EQ(keeper.host(), "");
  const GpuMetrics m = keeper.read(1);
  EXPECT_EQ(m.device_id, 1U);
  EXPECT_EQ(m.name, "NVIDIA GeForce RTX 4060");
  EXPECT_TRUE(m.available);
  EXPECT_TRUE(m.simulated);
  EXPECT_EQ(m.memory_total_mb(), 8188U);
  EXPECT_EQ(m.power_limit_watts, 115);
  EXPECT_EQ(keeper.latest(1).read_at, keeper.reading(1).read_at);
}

TEST(CppKeeperTest, WhatAReadingLacksIsAbsent) {
  gk_reading r{};
  r.size = sizeof r;
  r.index = 3;
  r.utilization_percent = r.memory_busy_percent = r.temperature_celsius = r.power_watts = r.power_limit_watts = NAN;
  r.fan_percent = r.clock_graphics_mhz = r.clock_memory_mhz = NAN;
  r.pcie_rx_bytes_per_second = r.pcie_tx_bytes_per_second = NAN;
  r.memory_used_bytes = r.memory_total_bytes = GK_ABSENT;
  EXPECT_EQ(metrics_of(r), (GpuMetrics{.device_id = 3, .available = false}));
}

TEST(CppKeeperTest, AReadingIsCutOffToWholeNumbers) {
  gk_reading r{};
  r.utilization_percent = 99.9;
  r.temperature_celsius = -5;
  r.clock_graphics_mhz = 1e300;
  r.pcie_tx_bytes_per_second = 1999;
  r.power_watts = 71.5;
  const GpuMetrics m = metrics_of(r);
  EXPECT_EQ(m.utilization_percent, 99U);
  EXPECT_EQ(m.temperature_celsius, 0U);
  EXPECT_EQ(m.clock_mhz, 4294967295U);
  EXPECT_EQ(m.pcie_tx_kbps, 1U);
  EXPECT_EQ(m.power_watts, 71.5);
}

TEST(CppKeeperTest, WhatFailsIsThrownWithItsCodeAndWords) {
  const Keeper keeper = two_gpus();
  const Error error = thrown_by([&] { static_cast<void>(keeper.read(2)); });
  EXPECT_EQ(error.code(), GK_NOT_FOUND);
  EXPECT_STREQ(error.what(), "there is no GPU 2: they are 0 to 1");
  EXPECT_EQ(thrown_by([] { Keeper({.source = "simulated:/nowhere.yaml"}); }).code(), GK_NOT_FOUND);
}

TEST(CppKeeperTest, SaysHowFastWorkMayGo) {
  const Keeper keeper = two_gpus();
  static_cast<void>(keeper.read(0));
  const double slower = std::min(keeper.throttling(0).speed_multiplier, keeper.throttling(1).speed_multiplier);
  EXPECT_EQ(keeper.throttling().speed_multiplier, slower);
  EXPECT_FALSE(keeper.throttling(1).should_throttle);
  EXPECT_EQ(keeper.throttling(1).state, State::optimal);
  EXPECT_EQ(keeper.judge(90, std::nullopt), State::critical);
  EXPECT_EQ(keeper.judge(20, 10), State::optimal);
  EXPECT_EQ(keeper.judge(std::nullopt, std::nullopt), State::unavailable);
}

TEST(CppKeeperTest, MonitoringIsTurnedOnAndOff) {
  const Keeper keeper = two_gpus();
  EXPECT_FALSE(keeper.is_monitoring());
  keeper.monitor();
  EXPECT_TRUE(keeper.is_monitoring());
  keeper.monitor(false);
  EXPECT_FALSE(keeper.is_monitoring());
}

TEST(CppKeeperTest, ALeaseIsReleasedAtTheEndOfItsScope) {
  const Keeper keeper = two_gpus();
  const std::uint64_t before = keeper.available(0);
  {
    const Lease lease = keeper.allocate({.bytes = kGiB, .service = "training", .device = 0, .require = true});
    EXPECT_EQ(lease.bytes(), kGiB);
    EXPECT_EQ(lease.device(), 0U);
    EXPECT_FALSE(lease.fell_back());
    EXPECT_GT(lease.id(), 0U);
    EXPECT_GT(lease.fence(), 0U);
    EXPECT_TRUE(lease.held());
    EXPECT_EQ(keeper.available(0), before - kGiB);
  }
  EXPECT_EQ(keeper.available(0), before);
}

TEST(CppKeeperTest, ALeaseMovesWithItsOwner) {
  const Keeper keeper = two_gpus();
  const std::uint64_t before = keeper.available(0);
  Lease first = keeper.allocate({.bytes = kGiB, .device = 0, .require = true});
  Lease second = std::move(first);
  EXPECT_FALSE(first.held());  // NOLINT(bugprone-use-after-move): that is what is asked
  EXPECT_TRUE(second.held());
  second = keeper.allocate({.bytes = 2 * kGiB, .device = 0, .require = true});  // the one before ends
  EXPECT_EQ(keeper.available(0), before - 2 * kGiB);
  second.release();
  EXPECT_FALSE(second.held());
  second.release();  // again does nothing
  EXPECT_EQ(keeper.available(0), before);
  const Error error = thrown_by([&] { second.renew(); });
  EXPECT_EQ(error.code(), GK_INVALID);
  EXPECT_EQ(error.what(), "lease " + std::to_string(second.id()) + " is not held any more");
}

TEST(CppKeeperTest, ALeaseIsResized) {
  const Keeper keeper = two_gpus();
  const std::uint64_t before = keeper.available(0);
  Lease lease = keeper.allocate({.bytes = kGiB, .device = 0, .require = true});
  lease.resize(2 * kGiB);
  EXPECT_EQ(lease.bytes(), 2 * kGiB);
  EXPECT_EQ(keeper.available(0), before - 2 * kGiB);
  EXPECT_EQ(thrown_by([&] { lease.resize(900 * kGiB); }).code(), GK_REFUSED);
  EXPECT_EQ(lease.bytes(), 2 * kGiB);
}

TEST(CppKeeperTest, WhatIsDetachedStaysBooked) {
  const Keeper keeper = two_gpus();
  const std::uint64_t before = keeper.available(0);
  const std::uint64_t id = keeper.allocate({.bytes = kGiB, .device = 0, .require = true}).detach();
  EXPECT_EQ(keeper.available(0), before - kGiB);
  keeper.release(id);
  EXPECT_EQ(keeper.available(0), before);
}

TEST(CppKeeperTest, AStandingLeaseOutlivesItsOwner) {
  const Keeper keeper = two_gpus();
  const std::uint64_t before = keeper.available(0);
  static_cast<void>(keeper.allocate({.bytes = kGiB, .name = "model", .device = 0, .require = true, .standing = true}));
  EXPECT_EQ(keeper.available(0), before - kGiB);
  keeper.release("model", 0);
  EXPECT_EQ(keeper.available(0), before);
}

TEST(CppKeeperTest, ARefusalHasItsNumbers) {
  const Keeper keeper = two_gpus();
  const Error error = thrown_by([&] { static_cast<void>(keeper.allocate(900 * kGiB)); });
  EXPECT_EQ(error.code(), GK_REFUSED);
  EXPECT_THAT(error.problem(), StartsWith("{"));
  EXPECT_THAT(error.problem(), HasSubstr("\"status\""));
}

TEST(CppKeeperTest, ALeaseOutlivesTheKeeperItIsOf) {
  auto lease = [] { return two_gpus().allocate(kGiB); }();
  lease.resize(2 * kGiB);
  EXPECT_EQ(lease.bytes(), 2 * kGiB);
}

TEST(CppKeeperTest, AnswersWhatTheDaemonWould) {
  const Keeper keeper = two_gpus();
  EXPECT_THAT(keeper.ask("GET", "/api/v1/snapshot"), HasSubstr("NVIDIA GeForce RTX 4090"));
  EXPECT_EQ(thrown_by([&] { static_cast<void>(keeper.ask("GET", "/api/v1/nothing")); }).code(), GK_NOT_FOUND);
  EXPECT_THAT(keeper.metrics("prefix"), HasSubstr("entrenar_gpu_temperature_celsius{device=\"0\"}"));
}

TEST(CppKeeperTest, KnowsThePast) {
  const Keeper keeper = two_gpus();
  static_cast<void>(keeper.read(0));
  const auto histories = keeper.histories("temperature_celsius", "1");
  ASSERT_EQ(histories.size(), 1U);
  EXPECT_EQ(histories[0].device, "1");
  EXPECT_EQ(histories[0].name, "NVIDIA GeForce RTX 4060");
  EXPECT_EQ(histories[0].metric, "temperature_celsius");
  EXPECT_EQ(histories[0].unit, "celsius");
  std::uint64_t readings = 0;
  for (const HistoryBucket& bucket : histories[0].buckets) readings += bucket.count;
  EXPECT_GT(readings, 0U);
  const auto trends = keeper.trends(5);
  ASSERT_EQ(trends.size(), 2U);
  EXPECT_EQ(trends[1].device, "1");
  EXPECT_GT(trends[1].sample_count, 0U);
  EXPECT_TRUE(trends[1].current_celsius);
  const Error error = thrown_by([&] { static_cast<void>(keeper.histories("a&b")); });
  EXPECT_THAT(error.what(), HasSubstr("a&b"));
}

TEST(CppKeeperTest, CountsWhatServicesDid) {
  const Keeper keeper = two_gpus();
  static_cast<void>(keeper.read(0));
  keeper.record_operation({.service = "embedding",
                           .operation = "inference",
                           .device = "0",
                           .count = 3,
                           .took = std::chrono::milliseconds(250)});
  EXPECT_THAT(keeper.metrics("documented"),
              HasSubstr("gpu_throughput_ops_total{device_id=\"0\",service_name=\"embedding\","
                        "operation_type=\"inference\"} 3\n"));
  const Error error = thrown_by([&] { keeper.record_operation({.service = "embedding"}); });
  EXPECT_EQ(error.code(), GK_INVALID);
  EXPECT_THAT(error.what(), HasSubstr("operation"));
}

TEST(CppKeeperTest, AnOperationIsWhatTheDaemonTakes) {
  EXPECT_EQ(to_json(Operation{"a", "b", "GPU-7", 2, std::chrono::milliseconds(1500)}),
            R"({"service":"a","operation":"b","count":2,"device":"GPU-7","seconds":1.5})");
  EXPECT_EQ(to_json(Operation{"a", "b"}), R"({"service":"a","operation":"b","count":1})");
}

TEST(CppKeeperTest, IsConfigured) {
  const Keeper keeper = two_gpus();
  keeper.configure(R"({"temp_throttle": 79})");
  EXPECT_THAT(keeper.configuration(), HasSubstr("79"));
  EXPECT_EQ(thrown_by([&] { keeper.configure(R"({"temp_throttle": "hot"})"); }).code(), GK_INVALID);
}

}  // namespace
}  // namespace gpukeeper
