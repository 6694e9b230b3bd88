#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "telemetry/state.hpp"

namespace gpukeeper {

/// Why work on a device is asked to slow down. Each cause holds a request of its own; the strictest wins.
enum class ThrottleCause {
  thermal,
  power,
  memory,
  load,
  operator_request,     ///< a person said so
  foreign_application,  ///< somebody outside our leases uses the device, and we yield
  missing_sensor,       ///< a device that is there stopped telling its temperature
};

std::string_view to_string(ThrottleCause cause);

/// What one cause asks for.
struct ThrottleRequest {
  ThrottleCause cause = ThrottleCause::thermal;
  double multiplier = 1.0;  ///< 0.8, 0.5 or 0
  std::string reason;       ///< a sentence: "84 °C, above 75 °C"
  WallTime since{};
  std::optional<MonotonicTime> until;  ///< when it ends unless something happens; nothing while its cause lasts

  friend bool operator==(const ThrottleRequest&, const ThrottleRequest&) = default;
};

/// The borders between the states, and the line from which a device is in an emergency.
struct GovernorThresholds : Thresholds {
  Celsius temp_critical{90};  ///< crossed, a device is critical at once, whatever hysteresis and dwell would say

  friend bool operator==(const GovernorThresholds&, const GovernorThresholds&) = default;
};

/// What the governor advises for one device. Where it does not govern (no such device, a lost one): full speed.
struct Throttling {
  State state = State::unavailable;  ///< the governed state: that of the readings, with hysteresis and dwell
  WallTime state_since{};
  double speed_multiplier = 1.0;          ///< 1, 0.8, 0.5 or 0: what a client multiplies its pace by
  std::vector<ThrottleRequest> requests;  ///< all that are held, strictest first; empty at full speed
  GovernorThresholds thresholds;          ///< that hold for this device: its own, its vendor's, or everybody's

  /// Whether work should slow down markedly.
  bool should_throttle() const { return speed_multiplier <= 0.5; }

  friend bool operator==(const Throttling&, const Throttling&) = default;
};

}  // namespace gpukeeper
