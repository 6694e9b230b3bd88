#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "device/device.hpp"

namespace gpukeeper {

/// The signal light of a device, or of all.
enum class Lamp {
  off,     ///< nothing is known of the device
  green,   ///< no alert
  yellow,  ///< a warning
  red,     ///< something critical
};

std::string_view to_string(Lamp lamp);

enum class AlertLevel { info, warning, critical };

std::string_view to_string(AlertLevel level);
std::optional<AlertLevel> parse_alert_level(std::string_view word);

enum class AlertPhase {
  pending,   ///< its condition holds, but not yet for long enough
  firing,    ///< raised
  resolved,  ///< cleared; it stays in the list for a while so that people see what was
};

std::string_view to_string(AlertPhase phase);

/// One alert on one device, from the first moment of its condition to its end.
struct Alert {
  std::string id;                  ///< the same as long as it lasts, over restarts too; unique among all alerts
  std::string rule;                ///< the rule's id: "thermal"
  std::optional<DeviceId> device;  ///< nothing: it is about the whole machine
  std::optional<std::uint32_t> device_index;
  std::string subject;  ///< what else tells two alerts of a rule on a device apart: a pid, an XID; empty mostly
  AlertLevel level = AlertLevel::warning;
  int severity = 0;  ///< 0 to 100
  AlertPhase phase = AlertPhase::pending;
  std::optional<double> value;      ///< in the unit of the rule's metric
  std::optional<double> threshold;  ///< that it crossed
  std::string message;              ///< a sentence that says what is wrong
  std::string remedy;               ///< what a person can do
  std::string link;                 ///< documentation
  WallTime since{};                 ///< when the condition began to hold
  std::optional<WallTime> fired_at;
  std::optional<WallTime> resolved_at;
  /// Since when nobody can tell whether it lasts: its device is lost, its sensor silent. It is kept meanwhile.
  std::optional<WallTime> unknown_since;
  std::string acknowledged_by;                 ///< empty while nobody has
  std::optional<WallTime> acknowledged_until;  ///< nothing: as long as it lasts
  std::string comment;                         ///< of who acknowledged it
  bool silenced = false;                       ///< by a silence that fits it: it is not told and colours no lamp
  std::optional<WallTime> silenced_until;      ///< nothing: as long as the silence stands in the configuration

  friend bool operator==(const Alert&, const Alert&) = default;
};

/// All alerts that are known: firing ones first, then pending, then resolved; by severity, then age.
using AlertList = std::vector<Alert>;

}  // namespace gpukeeper
