#include "policy/andon/gpu_alert.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// The documented values (contract 1.4.3), one line each.

TEST(GpuAlertTest, HeatWeighsFiftyAndOneForEachDegreeMore) {
  EXPECT_EQ((ThermalThrottling{0, 80, 80}).severity(), 50);
  EXPECT_EQ((ThermalThrottling{0, 81, 80}).severity(), 51);
  EXPECT_EQ((ThermalThrottling{0, 90, 80}).severity(), 60);
  EXPECT_EQ((ThermalThrottling{0, 129, 80}).severity(), 99);
  EXPECT_EQ((ThermalThrottling{0, 130, 80}).severity(), 100);
  EXPECT_EQ((ThermalThrottling{0, 1000, 80}).severity(), 100);
  EXPECT_EQ((ThermalThrottling{0, 70, 80}).severity(), 50);  // below its own threshold: no less
}

TEST(GpuAlertTest, MemoryWeighsSixtyEightyAHundred) {
  EXPECT_EQ((MemoryPressure{0, 89, 90}).severity(), 60);
  EXPECT_EQ((MemoryPressure{0, 90, 90}).severity(), 60);
  EXPECT_EQ((MemoryPressure{0, 94, 90}).severity(), 60);
  EXPECT_EQ((MemoryPressure{0, 95, 90}).severity(), 80);
  EXPECT_EQ((MemoryPressure{0, 98, 90}).severity(), 80);
  EXPECT_EQ((MemoryPressure{0, 99, 90}).severity(), 100);
}

TEST(GpuAlertTest, PowerWeighsFiftyOrSeventy) {
  EXPECT_EQ((PowerLimit{0, 95, 95}).severity(), 50);
  EXPECT_EQ((PowerLimit{0, 99, 95}).severity(), 50);
  EXPECT_EQ((PowerLimit{0, 100, 95}).severity(), 70);
  EXPECT_EQ((PowerLimit{0, 130, 95}).severity(), 70);
}

TEST(GpuAlertTest, IdlenessWeighsByItsLength) {
  EXPECT_EQ((GpuIdle{0, 20}).severity(), 40);
  EXPECT_EQ((GpuIdle{0, 30}).severity(), 40);
  EXPECT_EQ((GpuIdle{0, 31}).severity(), 70);
  EXPECT_EQ((GpuIdle{0, 45}).severity(), 70);
  EXPECT_EQ((GpuIdle{0, 60}).severity(), 70);
  EXPECT_EQ((GpuIdle{0, 61}).severity(), 90);
  EXPECT_EQ((GpuIdle{0, 65}).severity(), 90);
}

TEST(GpuAlertTest, MessagesAreTheDocumentedOnes) {
  EXPECT_EQ(message(ThermalThrottling{0, 85, 80}), "GPU 0 thermal throttling: 85°C exceeds 80°C threshold");
  EXPECT_EQ(message(MemoryPressure{1, 92, 90}), "GPU 1 memory pressure: 92% exceeds 90% threshold");
  EXPECT_EQ(message(PowerLimit{2, 97, 95}), "GPU 2 power limit: 97% exceeds 95% threshold");
  EXPECT_EQ(message(GpuIdle{3, 45}), "GPU 3 idle for 45 seconds (possible hang)");
}

TEST(GpuAlertTest, AlertsCompareByValue) {
  EXPECT_EQ(GpuAlert(GpuIdle{1, 45}), GpuAlert(GpuIdle{1, 45}));
  EXPECT_NE(GpuAlert(GpuIdle{1, 45}), GpuAlert(GpuIdle{1, 46}));
  EXPECT_NE(GpuAlert(MemoryPressure{0, 95, 95}), GpuAlert(PowerLimit{0, 95, 95}));
  EXPECT_EQ(severity(GpuAlert(PowerLimit{0, 100, 95})), 70);
}

TEST(GpuAlertTest, ThresholdsAreTheDocumentedOnes) {
  const AndonThresholds t;
  EXPECT_EQ(t.thermal_warning, 80U);
  EXPECT_EQ(t.thermal_critical, 90U);
  EXPECT_EQ(t.memory_warning, 90U);
  EXPECT_EQ(t.memory_critical, 95U);
  EXPECT_EQ(t.power_warning, 95U);
  EXPECT_EQ(t.idle_threshold_secs, 30U);
}

TEST(GpuAlertTest, TheConfigurationGivesAnIdleGpuFiveMinutes) {
  const AlertConfig config;
  EXPECT_EQ(config.thermal_threshold, 80U);
  EXPECT_EQ(config.memory_threshold, 90U);
  EXPECT_EQ(config.power_threshold, 95U);
  EXPECT_EQ(config.idle_timeout_secs, 300U);
  AndonThresholds expected;
  expected.idle_threshold_secs = 300;
  EXPECT_EQ(AndonThresholds(config), expected);
}

TEST(GpuAlertTest, ACriticalThresholdIsNeverBelowTheFirst) {
  const AndonThresholds t = AlertConfig{.thermal_threshold = 93, .memory_threshold = 98}.thresholds();
  EXPECT_EQ(t.thermal_critical, 93U);
  EXPECT_EQ(t.memory_critical, 98U);
}

class GpuAndonSystemTest : public testing::Test {
 protected:
  const std::vector<GpuAlert>& check(GpuVitals vitals) { return andon.check({{vitals}}, now); }
  const std::vector<GpuAlert>& idle_at(std::chrono::seconds time, std::uint32_t device = 0) {
    now = MonotonicTime(time);
    return check({.device = device, .utilization = 0});
  }

  GpuAndonSystem andon;
  MonotonicTime now{};
};

TEST_F(GpuAndonSystemTest, HeatFiresFromEightyOn) {
  EXPECT_THAT(check({.temperature = 79}), IsEmpty());
  EXPECT_THAT(check({.temperature = 79.99}), IsEmpty());  // cut off, not rounded
  EXPECT_THAT(check({.temperature = 80}), ElementsAre(GpuAlert(ThermalThrottling{0, 80, 80})));
  EXPECT_THAT(check({.temperature = 90.7}), ElementsAre(GpuAlert(ThermalThrottling{0, 90, 80})));
  EXPECT_THAT(check({.temperature = 130}), ElementsAre(GpuAlert(ThermalThrottling{0, 130, 80})));
}

TEST_F(GpuAndonSystemTest, MemoryFiresFromNinetyOn) {
  EXPECT_THAT(check({.memory_percent = 89.9}), IsEmpty());
  EXPECT_THAT(check({.memory_percent = 90}), ElementsAre(GpuAlert(MemoryPressure{0, 90, 90})));
  EXPECT_THAT(check({.memory_percent = 99.9}), ElementsAre(GpuAlert(MemoryPressure{0, 99, 90})));
}

TEST_F(GpuAndonSystemTest, PowerFiresFromNinetyFiveOn) {
  EXPECT_THAT(check({.power_percent = 94.9}), IsEmpty());
  EXPECT_THAT(check({.power_percent = 95}), ElementsAre(GpuAlert(PowerLimit{0, 95, 95})));
  EXPECT_THAT(check({.power_percent = 101}), ElementsAre(GpuAlert(PowerLimit{0, 101, 95})));
}

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
  EXPECT_THAT(check({.utilization = 1}), IsEmpty());
  EXPECT_THAT(idle_at(50s), IsEmpty());
  EXPECT_THAT(idle_at(79s), IsEmpty());
  EXPECT_THAT(idle_at(80s), ElementsAre(GpuAlert(GpuIdle{0, 30})));
}

TEST_F(GpuAndonSystemTest, LessThanOnePercentIsNothing) {
  check({.utilization = 0.9});
  now = MonotonicTime(30s);
  EXPECT_THAT(check({.utilization = 0.9}), ElementsAre(GpuAlert(GpuIdle{0, 30})));
}

TEST_F(GpuAndonSystemTest, DevicesAreTimedByTheirNumber) {
  idle_at(0s, 5);  // a list of one, with number five
  idle_at(10s, 2);
  EXPECT_THAT(idle_at(30s, 5), ElementsAre(GpuAlert(GpuIdle{5, 30})));
  EXPECT_THAT(idle_at(30s, 2), IsEmpty());
  EXPECT_THAT(idle_at(40s, 2), ElementsAre(GpuAlert(GpuIdle{2, 30})));
}

TEST_F(GpuAndonSystemTest, OrderIsThermalMemoryPowerIdleForEachDevice) {
  const GpuVitals all{.device = 0, .temperature = 85, .memory_percent = 95, .power_percent = 100, .utilization = 0};
  GpuVitals next = all;
  next.device = 1;
  andon.check({{all, next}}, MonotonicTime(0s));
  EXPECT_THAT(
      andon.check({{all, next}}, MonotonicTime(61s)),
      ElementsAre(GpuAlert(ThermalThrottling{0, 85, 80}), GpuAlert(MemoryPressure{0, 95, 90}),
                  GpuAlert(PowerLimit{0, 100, 95}), GpuAlert(GpuIdle{0, 61}), GpuAlert(ThermalThrottling{1, 85, 80}),
                  GpuAlert(MemoryPressure{1, 95, 90}), GpuAlert(PowerLimit{1, 100, 95}), GpuAlert(GpuIdle{1, 61})));
}

TEST_F(GpuAndonSystemTest, EveryCheckAnswersWithAllThatHoldsAndForgetsTheListBefore) {
  check({.temperature = 85});
  EXPECT_THAT(check({.temperature = 85}), ElementsAre(GpuAlert(ThermalThrottling{0, 85, 80})));
  check({.temperature = 50});
  EXPECT_THAT(andon.alerts(), IsEmpty());
}

TEST_F(GpuAndonSystemTest, WhatIsNotKnownRaisesNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(check({}), IsEmpty());
  EXPECT_THAT(check({.temperature = nan, .memory_percent = nan, .power_percent = nan}), IsEmpty());
  EXPECT_THAT(check({.temperature = -300, .memory_percent = -1, .power_percent = -1}), IsEmpty());
}

TEST_F(GpuAndonSystemTest, HugeValuesAreTheLargestNumber) {
  EXPECT_THAT(check({.temperature = 1e300}), ElementsAre(GpuAlert(ThermalThrottling{0, 4294967295U, 80})));
}

TEST_F(GpuAndonSystemTest, SamplesThatWereTakenEarlierAreTimedByTheirInterval) {
  andon.set_sample_interval(10s);
  const std::vector<GpuVitals> idle = {{.utilization = 0}};
  EXPECT_THAT(andon.check(idle), IsEmpty());  // 0 s
  EXPECT_THAT(andon.check(idle), IsEmpty());
  EXPECT_THAT(andon.check(idle), IsEmpty());
  EXPECT_THAT(andon.check(idle), ElementsAre(GpuAlert(GpuIdle{0, 30})));
}

TEST_F(GpuAndonSystemTest, ThresholdsAndConfigurationAreTaken) {
  andon = GpuAndonSystem::with_thresholds({.thermal_warning = 70});
  EXPECT_EQ(andon.thresholds().thermal_warning, 70U);
  EXPECT_THAT(check({.temperature = 70}), ElementsAre(GpuAlert(ThermalThrottling{0, 70, 70})));
  andon = GpuAndonSystem::with_config({.thermal_threshold = 75, .idle_timeout_secs = 100});
  EXPECT_THAT(check({.temperature = 74}), IsEmpty());
  EXPECT_THAT(check({.temperature = 75}), ElementsAre(GpuAlert(ThermalThrottling{0, 75, 75})));
  idle_at(0s);
  EXPECT_THAT(idle_at(99s), IsEmpty());
  EXPECT_THAT(idle_at(100s), ElementsAre(GpuAlert(GpuIdle{0, 100})));
}

TEST_F(GpuAndonSystemTest, CriticalThresholdsCountWhateverTheSeverity) {
  check({.temperature = 89});
  EXPECT_FALSE(andon.has_critical_alerts());
  check({.temperature = 90});
  EXPECT_TRUE(andon.has_critical_alerts());
  check({.temperature = 95});  // by its severity alone only 65
  EXPECT_TRUE(andon.has_critical_alerts());
  check({.memory_percent = 94});
  EXPECT_FALSE(andon.has_critical_alerts());
  check({.memory_percent = 95});
  EXPECT_TRUE(andon.has_critical_alerts());
  check({.power_percent = 100});
  EXPECT_FALSE(andon.has_critical_alerts());
}

TEST_F(GpuAndonSystemTest, AnIdleGpuIsCriticalUnlessItsSeverityIsCapped) {
  idle_at(0s);
  idle_at(61s);
  EXPECT_TRUE(andon.has_critical_alerts());
  andon.set_idle_severity_cap(70);
  EXPECT_FALSE(andon.has_critical_alerts());
}

TEST(GpuVitalsTest, AreThoseOfTheSnapshot) {
  auto d = device(3, facts("GPU-a", "H100", "0000:01:00.0"), busy());
  const GpuVitals vitals = vitals_of(d);
  EXPECT_EQ(vitals.device, 3U);
  EXPECT_EQ(vitals.temperature, 64);
  EXPECT_DOUBLE_EQ(*vitals.memory_percent, 62'000.0 / 81'559 * 100);
  EXPECT_DOUBLE_EQ(*vitals.power_percent, 612.345678 / 700 * 100);
  EXPECT_EQ(vitals.utilization, 97.4);
  d.reading.power_limit = Watts(0);
  EXPECT_EQ(vitals_of(d).power_percent, std::nullopt);
  EXPECT_EQ(vitals_of(device(0, facts("GPU-a", "H100", "0000:01:00.0"), Reading{Missing::failed})), GpuVitals{});
}

}  // namespace
}  // namespace gpukeeper
