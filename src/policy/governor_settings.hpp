#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/units.hpp"
#include "device/device.hpp"
#include "device/process_facts.hpp"
#include "telemetry/throttling.hpp"

namespace gpukeeper {

/// Thresholds out of the temperature at which the device slows itself down, for all devices that tell it; they differ
/// by tens of degrees. Each border stands so many degrees below. To begin with, the margins at which governors of large
/// fleets step in.
struct AutoThresholds {
  bool enabled = false;
  Celsius optimal{8};
  Celsius normal{4};
  Celsius throttle{1};
  Celsius critical{0};

  friend bool operator==(const AutoThresholds&, const AutoThresholds&) = default;
};

/// What a vendor's devices, or one device, have otherwise than the rest.
struct ThresholdChanges {
  std::optional<Celsius> temp_optimal = std::nullopt;
  std::optional<Celsius> temp_normal = std::nullopt;
  std::optional<Celsius> temp_throttle = std::nullopt;
  std::optional<Celsius> temp_critical = std::nullopt;
  std::optional<Percent> memory_optimal = std::nullopt;
  std::optional<Percent> memory_normal = std::nullopt;
  std::optional<Percent> memory_critical = std::nullopt;
  std::optional<bool> temp_auto = std::nullopt;  ///< AutoThresholds::enabled

  friend bool operator==(const ThresholdChanges&, const ThresholdChanges&) = default;
};

/// For devices whose UUID or name this fits, upper and lower case are one (fits_ignoring_case): "*H200*".
struct DeviceThresholds {
  std::string device;
  ThresholdChanges changes;

  friend bool operator==(const DeviceThresholds&, const DeviceThresholds&) = default;
};

/// Slower while somebody else's application uses the device.
struct YieldSettings {
  bool enabled = false;
  bool any = false;  ///< every process that is not ours counts; else those of these classes
  std::set<ProcessClass> classes = {ProcessClass::gaming, ProcessClass::video};
  std::vector<std::string> ours;  ///< names of executables that never count: "python3"; `*` as in DeviceThresholds
  double multiplier = 0.5;        ///< 0.8, 0.5 or 0

  friend bool operator==(const YieldSettings&, const YieldSettings&) = default;
};

/// All that a user may set of the governor. The names are those of the configuration's keys.
struct GovernorSettings {
  GovernorThresholds thresholds;
  AutoThresholds temp_auto;
  std::map<Vendor, ThresholdChanges> vendors;  ///< on top of the above
  std::vector<DeviceThresholds> devices;       ///< on top of the vendor's; of several that fit, the later wins

  Celsius hysteresis_celsius{3};  ///< a state is left when the temperature is so far below its border, or farther
  Percent hysteresis_memory_percent{2};
  int min_dwell_samples_up = 1;    ///< how many samples in a row must show a worse state, the present one included
  int min_dwell_samples_down = 2;  ///< the same for a better one
  std::chrono::nanoseconds throttle_cooldown = std::chrono::seconds(30);  ///< counted from leaving the throttled state
  std::chrono::nanoseconds critical_pause = std::chrono::seconds(60);     ///< counted from leaving the critical state
  int missing_sensor_hold_samples = 3;  ///< how long a reading that has vanished still counts

  std::optional<Percent> load_throttle_percent;  ///< utilization from which a device is throttled; off by default
  std::chrono::nanoseconds load_sustain = std::chrono::seconds(30);  ///< for so long; and for so long below to end it
  std::optional<Percent> power_throttle_percent;                     ///< the same, of the power limit
  std::chrono::nanoseconds power_sustain = std::chrono::seconds(30);

  YieldSettings yield;

  /// The pace of samples, as above and in the documented history. Snapshots come more often; those in between are
  /// looked at for emergencies, lost devices and the end of pauses only.
  std::chrono::nanoseconds monitor_interval = std::chrono::seconds(3);

  friend bool operator==(const GovernorSettings&, const GovernorSettings&) = default;
};

/// Judges the settings as a whole: ranges, the order optimal < normal < throttle <= critical, and that no state is left
/// only below the border of the next better one. Empty when all is well; else a sentence a mistake, which names key,
/// value and rule: "temp_throttle: 60 is not above temp_normal (75)".
std::vector<std::string> check(const GovernorSettings& settings);

/// What holds for this device. `slowdown`: the temperature at which it slows itself down, nothing where it does not
/// tell; then `temp_auto` changes nothing.
GovernorThresholds thresholds_for(const GovernorSettings& settings, const Device& device,
                                  std::optional<Celsius> slowdown);

}  // namespace gpukeeper
