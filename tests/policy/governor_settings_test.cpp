#include "policy/governor_settings.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The documented defaults (contract of the Python module `gpu_manager`).
TEST(GovernorSettingsTest, DefaultsAreThoseDocumentedAndRight) {
  const GovernorSettings settings;
  EXPECT_EQ(settings.thresholds.temp_optimal, Celsius(65));
  EXPECT_EQ(settings.thresholds.temp_normal, Celsius(75));
  EXPECT_EQ(settings.thresholds.temp_throttle, Celsius(85));
  EXPECT_EQ(settings.thresholds.temp_critical, Celsius(90));
  EXPECT_EQ(settings.thresholds.memory_optimal, Percent(70));
  EXPECT_EQ(settings.thresholds.memory_normal, Percent(85));
  EXPECT_EQ(settings.thresholds.memory_critical, Percent(95));
  EXPECT_EQ(settings.throttle_cooldown, 30s);
  EXPECT_EQ(settings.critical_pause, 60s);
  EXPECT_EQ(settings.monitor_interval, 3s);
  EXPECT_THAT(check(settings), IsEmpty());
}

struct Mistake {
  void (*make)(GovernorSettings&);
  std::string_view said;
};

TEST(GovernorSettingsTest, EveryMistakeIsNamedWithKeyValueAndRule) {
  const Mistake kMistakes[] = {
      {[](auto& s) { s.thresholds.temp_throttle = Celsius(60); }, "temp_throttle: 60 is not above temp_normal (75)"},
      {[](auto& s) { s.thresholds.temp_normal = Celsius(65); }, "temp_normal: 65 is not above temp_optimal (65)"},
      {[](auto& s) { s.thresholds.temp_normal = Celsius(67); },
       "temp_normal: 67 less hysteresis_celsius (3) is below temp_optimal (65): the states overlap"},
      {[](auto& s) { s.thresholds.temp_critical = Celsius(84.5); }, "temp_critical: 84.5 is below temp_throttle (85)"},
      {[](auto& s) { s.thresholds.temp_critical = Celsius(151); }, "temp_critical: 151 is not above 0 and at most 150"},
      {[](auto& s) { s.thresholds.temp_optimal = Celsius(-3); }, "temp_optimal: -3 is not above 0 and at most 150"},
      {[](auto& s) { s.thresholds.temp_optimal = Celsius(kNaN); }, "temp_optimal: nan is not above 0 and at most 150"},
      {[](auto& s) { s.thresholds.memory_critical = Percent(101); },
       "memory_critical: 101 is not above 0 and at most 100"},
      {[](auto& s) { s.thresholds.memory_normal = Percent(71); },
       "memory_normal: 71 less hysteresis_memory_percent (2) is below memory_optimal (70): the states overlap"},
      {[](auto& s) { s.hysteresis_celsius = Celsius(-1); }, "hysteresis_celsius: -1 is not from 0 to 20"},
      {[](auto& s) { s.hysteresis_memory_percent = Percent(kNaN); },
       "hysteresis_memory_percent: nan is not from 0 to 20"},
      {[](auto& s) { s.temp_auto.normal = Celsius(2); },
       "temp_auto.normal: 2 less temp_auto.throttle (1) is below hysteresis_celsius (3): the states overlap"},
      {[](auto& s) { s.temp_auto.optimal = Celsius(4); }, "temp_auto.optimal: 4 is not above temp_auto.normal (4)"},
      {[](auto& s) { s.temp_auto.critical = Celsius(1.5); }, "temp_auto.critical: 1.5 is above temp_auto.throttle (1)"},
      {[](auto& s) { s.temp_auto.critical = Celsius(-1); }, "temp_auto.critical: -1 is not from 0 to 100"},
      {[](auto& s) { s.vendors[Vendor::amd].temp_throttle = Celsius(70); },
       "vendors.amd.temp_throttle: 70 is not above temp_normal (75)"},
      {[](auto& s) {
         s.devices = {{"GPU-a", {}}, {"*H200*", {.temp_critical = Celsius(80)}}};
       },
       "devices[1].temp_critical: 80 is below temp_throttle (85)"},
      {[](auto& s) {
         s.vendors[Vendor::amd].temp_throttle = Celsius(100);
         s.vendors[Vendor::amd].temp_critical = Celsius(105);
         s.devices = {{"*MI300*", {.temp_critical = Celsius(95)}}};
       },
       "devices[0].temp_critical: 95 is below temp_throttle (100)"},
      {[](auto& s) {
         s.devices = {{"", {}}};
       },
       "devices[0].device: must not be empty"},
      {[](auto& s) { s.throttle_cooldown = -1s; }, "throttle_cooldown_seconds: -1 is not from 0 to 86400"},
      {[](auto& s) { s.critical_pause = 25h; }, "critical_pause_seconds: 90000 is not from 0 to 86400"},
      {[](auto& s) { s.load_sustain = -1s; }, "load_sustain_seconds: -1 is not from 0 to 86400"},
      {[](auto& s) { s.power_sustain = -1s; }, "power_sustain_seconds: -1 is not from 0 to 86400"},
      {[](auto& s) { s.monitor_interval = 0s; }, "monitor_interval: 0 is not from 0.1 to 86400"},
      {[](auto& s) { s.min_dwell_samples_up = 0; }, "min_dwell_samples.up: 0 is not from 1 to 1000"},
      {[](auto& s) { s.min_dwell_samples_down = 1001; }, "min_dwell_samples.down: 1001 is not from 1 to 1000"},
      {[](auto& s) { s.missing_sensor_hold_samples = -1; }, "missing_sensor_hold_samples: -1 is not from 0 to 1000"},
      {[](auto& s) { s.load_throttle_percent = Percent(0); },
       "load_throttle_percent: 0 is not above 0 and at most 100"},
      {[](auto& s) { s.power_throttle_percent = Percent(201); },
       "power_throttle_percent: 201 is not above 0 and at most 200"},
      {[](auto& s) { s.yield.multiplier = 0.7; }, "yield.multiplier: 0.7 is not 0.8, 0.5 or 0"},
      {[](auto& s) {
         s.yield.ours = {"python3", ""};
       },
       "yield.ours[1]: must not be empty"},
  };
  for (const Mistake& mistake : kMistakes) {
    GovernorSettings settings;
    mistake.make(settings);
    EXPECT_THAT(check(settings), ElementsAre(std::string(mistake.said)));
  }
}

TEST(GovernorSettingsTest, AllMistakesAreSaidAtOnce) {
  GovernorSettings settings;
  settings.thresholds.temp_throttle = Celsius(60);
  settings.monitor_interval = -1s;
  EXPECT_THAT(check(settings), ElementsAre("temp_throttle: 60 is not above temp_normal (75)",
                                           "monitor_interval: -1 is not from 0.1 to 86400"));
}

TEST(GovernorSettingsTest, BandsMayTouchButNotOverlap) {
  GovernorSettings settings;
  settings.thresholds.temp_normal = Celsius(68);
  settings.thresholds.temp_throttle = Celsius(71);
  settings.thresholds.temp_critical = Celsius(71);
  EXPECT_THAT(check(settings), IsEmpty());
}

Device device(std::string uuid, std::string name, Vendor vendor) {
  Device result;
  result.id.text = std::move(uuid);
  result.name = std::move(name);
  result.vendor = vendor;
  return result;
}

TEST(GovernorSettingsTest, ADevicesOwnThresholdsWinOverItsVendorsOverThoseOfAll) {
  GovernorSettings settings;
  settings.vendors[Vendor::nvidia] = {.temp_normal = Celsius(76), .temp_throttle = Celsius(86)};
  settings.devices = {{"*h200*", {.temp_throttle = Celsius(87)}}, {"GPU-b", {.temp_throttle = Celsius(88)}}};
  const auto of = [&](const Device& d) { return thresholds_for(settings, d, std::nullopt); };

  const auto a = of(device("GPU-a", "NVIDIA H200", Vendor::nvidia));
  EXPECT_EQ(a.temp_optimal, Celsius(65));
  EXPECT_EQ(a.temp_normal, Celsius(76));
  EXPECT_EQ(a.temp_throttle, Celsius(87));
  EXPECT_EQ(of(device("GPU-b", "NVIDIA H200", Vendor::nvidia)).temp_throttle, Celsius(88));
  EXPECT_EQ(of(device("GPU-c", "NVIDIA A10", Vendor::nvidia)).temp_throttle, Celsius(86));
  EXPECT_EQ(of(device("AMD-1", "Navi 48", Vendor::amd)).temp_throttle, Celsius(85));
}

TEST(GovernorSettingsTest, AutoCountsDownFromTheTemperatureAtWhichTheDeviceSlowsItselfDown) {
  GovernorSettings settings;
  settings.temp_auto.enabled = true;
  const Device gpu = device("GPU-a", "NVIDIA H200", Vendor::nvidia);
  const auto t = thresholds_for(settings, gpu, Celsius(97));
  EXPECT_EQ(t.temp_optimal, Celsius(89));
  EXPECT_EQ(t.temp_normal, Celsius(93));
  EXPECT_EQ(t.temp_throttle, Celsius(96));
  EXPECT_EQ(t.temp_critical, Celsius(97));
  EXPECT_EQ(t.memory_optimal, Percent(70));
  EXPECT_EQ(thresholds_for(settings, gpu, std::nullopt), settings.thresholds) << "a device that does not tell it";
  EXPECT_EQ(thresholds_for(settings, gpu, Celsius(0)), settings.thresholds) << "a driver that tells nonsense";

  settings.devices = {{"GPU-a", {.temp_auto = false}}};
  EXPECT_EQ(thresholds_for(settings, gpu, Celsius(97)), settings.thresholds);
}

}  // namespace
}  // namespace gpukeeper
