#include "policy/governor_event.hpp"

namespace gpukeeper {

std::string_view to_string(GovernorEventKind kind) {
  switch (kind) {
    case GovernorEventKind::state_change: return "state_change";
    case GovernorEventKind::device_lost: return "device_lost";
    case GovernorEventKind::device_recovered: return "device_recovered";
    case GovernorEventKind::critical: return "critical";
    case GovernorEventKind::throttle: return "throttle";
    case GovernorEventKind::resume: return "resume";
    case GovernorEventKind::overheat: return "overheat";
    case GovernorEventKind::yield: return "yield";
    case GovernorEventKind::yield_over: return "yield_over";
  }
  return "state_change";
}

std::optional<GovernorEventKind> governor_event_kind(std::string_view name) {
  for (const auto kind : kGovernorEventKinds) {
    if (to_string(kind) == name) return kind;
  }
  return std::nullopt;
}

}  // namespace gpukeeper
