#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "device/device.hpp"

namespace gpukeeper {

/// What can be changed of a device, or of those that work on it.
enum class ActuatorKind {
  power_limit,    ///< in milliwatts
  locked_clocks,  ///< an upper bound for the graphics clock, in MHz
  fan,            ///< a speed in percent instead of the driver's own curve
  freeze,         ///< the processes of a control group stand still
};

std::string_view to_string(ActuatorKind kind);
std::optional<ActuatorKind> parse_actuator_kind(std::string_view word);

/// Names one thing that can be changed, over restarts too.
struct ActuatorName {
  ActuatorKind kind = ActuatorKind::power_limit;
  DeviceId device;
  std::string place;  ///< where it is changed: "nvml", "/sys/class/drm/card1/device/hwmon/hwmon3/power1_cap", a cgroup

  std::string to_string() const;  ///< "power_limit of GPU-3f2a (nvml)"
  friend bool operator==(const ActuatorName&, const ActuatorName&) = default;
  friend auto operator<=>(const ActuatorName&, const ActuatorName&) = default;
};

/// One thing that can be changed and given back. Values are texts in words of its own, so that a journal can keep those
/// of any kind.
///
/// Threads: one at a time, never the sampler's: every call may wait for a driver.
class Actuator {
 public:
  virtual ~Actuator() = default;

  /// Constant.
  virtual const ActuatorName& name() const = 0;

  /// What is set now. Errors: not_supported where the hardware or driver has no such thing, not_permitted, not_found
  /// when the device has gone, unavailable, internal.
  virtual Result<std::string> look() = 0;

  /// Whether `now`, as look() tells it, is what we set: a driver may round, or not tell.
  virtual bool is_ours(const std::string& now, const std::string& set) const { return now == set; }

  /// What to set for this speed (below 1) where `found` stood at first; nothing: it is to stay as it was found.
  virtual std::optional<std::string> wish(double multiplier, const std::string& found) = 0;

  /// Errors: as for look().
  virtual Result<void> set(const std::string& value) = 0;

  /// Sets what was found. Errors: as for look().
  virtual Result<void> give_back(const std::string& found) = 0;

  /// A value as people read it: "350 W", "up to 990 MHz", "frozen".
  virtual std::string spell(const std::string& value) const = 0;

  /// What is so now, as people read it: what look() tells, unless there is something that tells more.
  /// Errors: as for look().
  virtual Result<std::string> effective();
};

}  // namespace gpukeeper
