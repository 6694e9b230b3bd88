#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/units.hpp"

namespace gpukeeper {

/// What gpukeeper may change by itself: the section `actuators` of the configuration. Nothing, unless it is switched
/// on: then it only advises.
struct ActuatorSettings {
  bool power_limit = false;
  Percent power_limit_lowest{50};  ///< of the limit that was found; never below what the device takes

  bool locked_clocks = false;
  Percent clocks_lowest{50};  ///< of the device's highest graphics clock

  bool fan = false;
  Percent fan_slow{70};  ///< at speed 0.8, if the fan runs slower
  Percent fan_fast{85};  ///< at 0.5; at 0 it runs as fast as it may

  bool freeze = false;
  /// Which control groups may be frozen, by path below the mount, as fits() has it. Empty: none.
  std::vector<std::string> freeze_cgroups;
  std::chrono::nanoseconds max_pause = std::chrono::seconds(120);  ///< then it runs again, whatever the heat

  std::vector<std::string> devices;  ///< UUIDs or names, as fits_ignoring_case() has it; empty: all

  std::chrono::nanoseconds pause_down = std::chrono::seconds(2);  ///< between two changes to slower
  std::chrono::nanoseconds pause_up = std::chrono::seconds(15);   ///< and to faster

  bool any() const { return power_limit || locked_clocks || fan || freeze; }
  friend bool operator==(const ActuatorSettings&, const ActuatorSettings&) = default;
};

/// What is wrong with them, a sentence each that names key, value and rule. Empty when all is well.
std::vector<std::string> check(const ActuatorSettings& settings);

}  // namespace gpukeeper
