#include "telemetry/alert.hpp"

namespace gpukeeper {

std::string_view to_string(Lamp lamp) {
  switch (lamp) {
    case Lamp::off: return "off";
    case Lamp::green: return "green";
    case Lamp::yellow: return "yellow";
    case Lamp::red: return "red";
  }
  return "off";
}

std::string_view to_string(AlertLevel level) {
  switch (level) {
    case AlertLevel::info: return "info";
    case AlertLevel::warning: return "warning";
    case AlertLevel::critical: return "critical";
  }
  return "warning";
}

std::optional<AlertLevel> parse_alert_level(std::string_view word) {
  for (const auto level : {AlertLevel::info, AlertLevel::warning, AlertLevel::critical}) {
    if (word == to_string(level)) return level;
  }
  return std::nullopt;
}

std::string_view to_string(AlertPhase phase) {
  switch (phase) {
    case AlertPhase::pending: return "pending";
    case AlertPhase::firing: return "firing";
    case AlertPhase::resolved: return "resolved";
  }
  return "resolved";
}

}  // namespace gpukeeper
