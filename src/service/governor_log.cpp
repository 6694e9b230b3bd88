#include "service/governor_log.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "service/state_log.hpp"

namespace gpukeeper::service {
namespace {

std::string speed_of(const Throttling& throttling) {
  if (throttling.speed_multiplier >= 1) return "work may go at full speed";
  if (throttling.speed_multiplier <= 0) return "work should pause";
  return fmt::format("work should go at {} % of its speed", throttling.speed_multiplier * 100);
}

// Because of what: of the strictest request, or of that cause.
std::string reason_of(const Throttling& throttling, std::optional<ThrottleCause> cause = {}) {
  for (const ThrottleRequest& request : throttling.requests) {
    if (!cause || request.cause == *cause) return ": " + request.reason;
  }
  return {};
}

}  // namespace

void GovernorLog::note(const GovernorEvent& event) {
  const DeviceSnapshot& device = *event.device;
  const Throttling& throttling = device.throttling;
  const std::string name = name_of(device);
  switch (event.kind) {
    case GovernorEventKind::state_change:
      // What becomes unavailable, or is available again, is said with its reason elsewhere.
      if (event.old_state == State::unavailable || event.new_state == State::unavailable) return;
      log_.info("{}: {}, was {}; {}{}", name, to_string(event.new_state), to_string(event.old_state),
                speed_of(throttling), reason_of(throttling));
      return;
    case GovernorEventKind::overheat:
      log_.warning("{}: overheats{}", name, reason_of(throttling, ThrottleCause::thermal));
      return;
    case GovernorEventKind::yield:
      log_.info("{}: {}{}", name, speed_of(throttling), reason_of(throttling, ThrottleCause::foreign_application));
      return;
    case GovernorEventKind::yield_over:
      log_.info("{}: the application that is not ours has left it; {}", name, speed_of(throttling));
      return;
    case GovernorEventKind::critical:
    case GovernorEventKind::throttle:
    case GovernorEventKind::resume:  // said with the change of state
    case GovernorEventKind::device_lost:
    case GovernorEventKind::device_recovered:  // said by StateLog
      return;
  }
}

}  // namespace gpukeeper::service
