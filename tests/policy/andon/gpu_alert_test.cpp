#include "policy/andon/gpu_alert.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

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

// How each fires, over time too: tests/embed/cpp/gpu_andon_system_test.cpp. Here, what only these can be asked.

TEST(GpuAlertTest, ReadingsAreCutOffNotRounded) {
  EXPECT_EQ(check_thermal({.temperature = 79.99}, 80), std::nullopt);
  EXPECT_EQ(check_thermal({.temperature = 90.7}, 80), (ThermalThrottling{0, 90, 80}));
  EXPECT_EQ(check_memory({.memory_percent = 89.9}, 90), std::nullopt);
  EXPECT_EQ(check_memory({.memory_percent = 99.9}, 90), (MemoryPressure{0, 99, 90}));
  EXPECT_EQ(check_power({.power_percent = 94.9}, 95), std::nullopt);
  EXPECT_TRUE(is_idle({.utilization = 0.9}));
  EXPECT_FALSE(is_idle({.utilization = 1}));
}

TEST(GpuAlertTest, WhatIsNoReadingRaisesNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::optional<double> value : {std::optional<double>(), std::optional(nan), std::optional(-300.0)}) {
    EXPECT_EQ(check_thermal({.temperature = value}, 80), std::nullopt);
    EXPECT_EQ(check_memory({.memory_percent = value}, 90), std::nullopt);
    EXPECT_EQ(check_power({.power_percent = value}, 95), std::nullopt);
  }
  EXPECT_FALSE(is_idle({}));
}

TEST(GpuAlertTest, HugeValuesAreTheLargestNumber) {
  EXPECT_EQ(check_thermal({.temperature = 1e300}, 80), (ThermalThrottling{0, 4294967295U, 80}));
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
