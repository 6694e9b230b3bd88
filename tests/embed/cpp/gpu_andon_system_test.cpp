#include "gpukeeper/gpu_andon_system.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpukeeper/gpu.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Time = GpuAndonSystem::Time;

GpuMetrics full(std::uint64_t percent) {
  return {.memory_used_bytes = percent << 20, .memory_total_bytes = 100 << 20};
}

GpuMetrics drawing(double watts) {
  return {.power_watts = watts, .power_limit_watts = 100};
}

class GpuAndonSystemTest : public testing::Test {
 protected:
  const std::vector<GpuAlert>& check(const GpuMetrics& metrics) { return andon.check({{metrics}}, now); }
  const std::vector<GpuAlert>& idle_at(std::chrono::seconds time, std::uint32_t device = 0) {
    now = Time(time);
    return check({.device_id = device, .utilization_percent = 0});
  }

  GpuAndonSystem andon;
  Time now{};
};

TEST_F(GpuAndonSystemTest, AnIdleGpuIsTimedFromTheFirstSampleThatShowsIt) {
  EXPECT_THAT(idle_at(0s), IsEmpty());
  EXPECT_THAT(idle_at(20s), IsEmpty());
  EXPECT_THAT(idle_at(29s), IsEmpty());
  EXPECT_THAT(idle_at(30s), ElementsAre(GpuAlert(GpuIdle{0, 30})));
  EXPECT_THAT(idle_at(65s), ElementsAre(GpuAlert(GpuIdle{0, 65})));
}

TEST_F(GpuAndonSystemTest, WorkEndsIdlenessAndItCountsAnew) {
  idle_at(0s);
  idle_at(40s);
  EXPECT_THAT(check({.utilization_percent = 1}), IsEmpty());
  EXPECT_THAT(idle_at(50s), IsEmpty());
  EXPECT_THAT(idle_at(79s), IsEmpty());
  EXPECT_THAT(idle_at(80s), ElementsAre(GpuAlert(GpuIdle{0, 30})));
}

TEST_F(GpuAndonSystemTest, DevicesAreTimedByTheirNumber) {
  idle_at(0s, 5);  // a list of one, with number five
  idle_at(10s, 2);
  EXPECT_THAT(idle_at(30s, 5), ElementsAre(GpuAlert(GpuIdle{5, 30})));
  EXPECT_THAT(idle_at(30s, 2), IsEmpty());
  EXPECT_THAT(idle_at(40s, 2), ElementsAre(GpuAlert(GpuIdle{2, 30})));
}

TEST_F(GpuAndonSystemTest, ThresholdsAndConfigurationAreTaken) {
  andon = GpuAndonSystem::with_thresholds({.thermal_warning = 70});
  EXPECT_EQ(andon.thresholds().thermal_warning, 70U);
  EXPECT_THAT(check({.temperature_celsius = 70}), ElementsAre(GpuAlert(ThermalThrottling{0, 70, 70})));
  andon = GpuAndonSystem::with_config({.thermal_threshold = 75, .idle_timeout_secs = 100});
  EXPECT_THAT(check({.temperature_celsius = 74}), IsEmpty());
  EXPECT_THAT(check({.temperature_celsius = 75}), ElementsAre(GpuAlert(ThermalThrottling{0, 75, 75})));
  idle_at(0s);
  EXPECT_THAT(idle_at(99s), IsEmpty());
  EXPECT_THAT(idle_at(100s), ElementsAre(GpuAlert(GpuIdle{0, 100})));
}

TEST_F(GpuAndonSystemTest, AnIdleGpuIsCriticalUnlessItsSeverityIsCapped) {
  idle_at(0s);
  idle_at(61s);
  EXPECT_TRUE(andon.has_critical_alerts());
  andon.set_idle_severity_cap(70);
  EXPECT_FALSE(andon.has_critical_alerts());
}

TEST_F(GpuAndonSystemTest, HeatFiresFromEightyOn) {
  EXPECT_THAT(check({.temperature_celsius = 79}), IsEmpty());
  EXPECT_THAT(check({.temperature_celsius = 80}), ElementsAre(GpuAlert(ThermalThrottling{0, 80, 80})));
  EXPECT_EQ(severity(andon.alerts()[0]), 50);
  EXPECT_THAT(check({.temperature_celsius = 90}), ElementsAre(GpuAlert(ThermalThrottling{0, 90, 80})));
  EXPECT_EQ(severity(andon.alerts()[0]), 60);
  EXPECT_THAT(check({.temperature_celsius = 130}), ElementsAre(GpuAlert(ThermalThrottling{0, 130, 80})));
  EXPECT_EQ(severity(andon.alerts()[0]), 100);
}

TEST_F(GpuAndonSystemTest, MemoryFiresFromNinetyOn) {
  EXPECT_THAT(check(full(89)), IsEmpty());
  EXPECT_THAT(check(full(90)), ElementsAre(GpuAlert(MemoryPressure{0, 90, 90})));
  EXPECT_EQ(severity(andon.alerts()[0]), 60);
  EXPECT_THAT(check(full(95)), ElementsAre(GpuAlert(MemoryPressure{0, 95, 90})));
  EXPECT_EQ(severity(andon.alerts()[0]), 80);
  EXPECT_THAT(check(full(99)), ElementsAre(GpuAlert(MemoryPressure{0, 99, 90})));
  EXPECT_EQ(severity(andon.alerts()[0]), 100);
  EXPECT_THAT(check({.memory_used_bytes = 899, .memory_total_bytes = 1000}), IsEmpty());  // 89.9 %: cut off
}

TEST_F(GpuAndonSystemTest, PowerFiresFromNinetyFiveOn) {
  EXPECT_THAT(check(drawing(94.9)), IsEmpty());
  EXPECT_THAT(check(drawing(95)), ElementsAre(GpuAlert(PowerLimit{0, 95, 95})));
  EXPECT_EQ(severity(andon.alerts()[0]), 50);
  EXPECT_THAT(check(drawing(100)), ElementsAre(GpuAlert(PowerLimit{0, 100, 95})));
  EXPECT_EQ(severity(andon.alerts()[0]), 70);
}

TEST_F(GpuAndonSystemTest, OrderIsThermalMemoryPowerIdleForEachDevice) {
  GpuMetrics first = full(95);
  first.temperature_celsius = 85;
  first.power_watts = first.power_limit_watts = 300;
  first.utilization_percent = 0;
  GpuMetrics second = first;
  second.device_id = 1;
  andon.check({{first, second}}, Time(0s));
  EXPECT_THAT(
      andon.check({{first, second}}, Time(61s)),
      ElementsAre(GpuAlert(ThermalThrottling{0, 85, 80}), GpuAlert(MemoryPressure{0, 95, 90}),
                  GpuAlert(PowerLimit{0, 100, 95}), GpuAlert(GpuIdle{0, 61}), GpuAlert(ThermalThrottling{1, 85, 80}),
                  GpuAlert(MemoryPressure{1, 95, 90}), GpuAlert(PowerLimit{1, 100, 95}), GpuAlert(GpuIdle{1, 61})));
}

TEST_F(GpuAndonSystemTest, EveryCheckAnswersWithAllThatHoldsAndForgetsTheListBefore) {
  check({.temperature_celsius = 85});
  EXPECT_THAT(check({.temperature_celsius = 85}), ElementsAre(GpuAlert(ThermalThrottling{0, 85, 80})));
  check({.temperature_celsius = 50});
  EXPECT_THAT(andon.alerts(), IsEmpty());
}

TEST_F(GpuAndonSystemTest, WhatIsNotKnownRaisesNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(check({}), IsEmpty());
  EXPECT_THAT(check(drawing(nan)), IsEmpty());
  EXPECT_THAT(check(drawing(-1)), IsEmpty());
  EXPECT_THAT(check({.memory_used_bytes = 5, .memory_total_bytes = 0}), IsEmpty());
  EXPECT_THAT(check({.available = false, .reason = "lost"}), IsEmpty());
}

TEST_F(GpuAndonSystemTest, AGpuThatIsNotAvailableIsNotIdle) {
  idle_at(0s);
  now = Time(20s);
  check({.available = false});
  EXPECT_THAT(idle_at(40s), IsEmpty());
}

TEST_F(GpuAndonSystemTest, SamplesThatWereTakenEarlierAreTimedByTheirInterval) {
  andon.set_sample_interval(10s);
  const std::vector<GpuMetrics> idle = {{.utilization_percent = 0}};
  EXPECT_THAT(andon.check(idle), IsEmpty());  // 0 s
  EXPECT_THAT(andon.check(idle), IsEmpty());
  EXPECT_THAT(andon.check(idle), IsEmpty());
  EXPECT_THAT(andon.check(idle), ElementsAre(GpuAlert(GpuIdle{0, 30})));
}

TEST_F(GpuAndonSystemTest, CriticalThresholdsCountWhateverTheSeverity) {
  check({.temperature_celsius = 89});
  EXPECT_FALSE(andon.has_critical_alerts());
  check({.temperature_celsius = 90});
  EXPECT_TRUE(andon.has_critical_alerts());
  check({.temperature_celsius = 95});  // by its severity alone only 65
  EXPECT_TRUE(andon.has_critical_alerts());
  check(full(94));
  EXPECT_FALSE(andon.has_critical_alerts());
  check(full(95));
  EXPECT_TRUE(andon.has_critical_alerts());
  check(drawing(100));
  EXPECT_FALSE(andon.has_critical_alerts());
}

TEST(GpuAndonSystemNamesTest, TheGuidesNameIsTheSame) {
  EXPECT_TRUE((std::is_same_v<gpu::AndonSystem, GpuAndonSystem>));
  EXPECT_EQ(gpu::AndonSystem().thresholds(), AndonThresholds());
}

}  // namespace
}  // namespace gpukeeper
