#include "chance.hpp"

#include <array>

namespace gpukeeper::simulation {
namespace {

using namespace std::chrono_literals;

GovernorSettings drawn(Dice& dice) {
  GovernorSettings s;
  if (dice.chance(0.5)) {
    s.thresholds.temp_optimal = Celsius(dice.between(45, 70));
    s.thresholds.temp_normal = Celsius(s.thresholds.temp_optimal.value() + dice.between(1, 12));
    s.thresholds.temp_throttle = Celsius(s.thresholds.temp_normal.value() + dice.between(1, 12));
    s.thresholds.temp_critical = Celsius(s.thresholds.temp_throttle.value() + dice.between(0, 8));
  }
  if (dice.chance(0.3)) {
    s.thresholds.memory_optimal = Percent(dice.between(30, 70));
    s.thresholds.memory_normal = Percent(s.thresholds.memory_optimal.value() + dice.between(1, 15));
    s.thresholds.memory_critical = Percent(s.thresholds.memory_normal.value() + dice.between(1, 15));
  }
  s.temp_auto.enabled = dice.chance(0.2);
  if (dice.chance(0.3)) s.devices = {{"SIM-1", {.temp_critical = Celsius(95)}}};
  if (dice.chance(0.5)) s.hysteresis_celsius = Celsius(dice.between(0, 5));
  if (dice.chance(0.3)) s.hysteresis_memory_percent = Percent(dice.between(0, 4));
  s.min_dwell_samples_up = dice.chance(0.7) ? 1 : dice.between(1, 4);
  s.min_dwell_samples_down = dice.chance(0.5) ? 2 : dice.between(1, 6);
  if (dice.chance(0.5)) s.throttle_cooldown = dice.seconds(0, 90);
  if (dice.chance(0.5)) s.critical_pause = dice.seconds(0, 180);
  if (dice.chance(0.3)) s.missing_sensor_hold_samples = dice.between(0, 10);
  if (dice.chance(0.3)) s.load_throttle_percent = Percent(dice.between(50, 100));
  s.load_sustain = dice.seconds(0, 60);
  if (dice.chance(0.3)) s.power_throttle_percent = Percent(dice.between(50, 110));
  s.power_sustain = dice.seconds(0, 60);
  s.yield.enabled = dice.chance(0.4);
  s.yield.any = dice.chance(0.5);
  constexpr std::array kSpeeds = {0.8, 0.5, 0.0};
  s.yield.multiplier = dice.one_of<double>(kSpeeds);
  if (dice.chance(0.4)) s.monitor_interval = std::chrono::milliseconds(dice.between(500, 10'000));
  return s;
}

}  // namespace

GovernorSettings some_settings(Dice& dice) {
  for (;;) {
    GovernorSettings settings = drawn(dice);
    if (check(settings).empty()) return settings;
  }
}

}  // namespace gpukeeper::simulation
