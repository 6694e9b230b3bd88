#include "telemetry/overall.hpp"

#include <algorithm>
#include <optional>

namespace gpukeeper {

State overall_governed_state(const Snapshot& snapshot) {
  std::optional<State> worst;
  for (const DeviceSnapshot& device : snapshot.devices) {
    if (device.reading.attention == Attention::asleep) continue;
    worst = std::max(worst.value_or(State::optimal), device.throttling.state);
  }
  return worst.value_or(State::unavailable);
}

double overall_speed(const Snapshot& snapshot) {
  double slowest = 1;
  for (const DeviceSnapshot& device : snapshot.devices) {
    slowest = std::min(slowest, device.throttling.speed_multiplier);
  }
  return slowest;
}

bool holds_itself_back(const Throttling& throttling) {
  return std::ranges::any_of(throttling.requests, [](const ThrottleRequest& request) {
    return request.multiplier <= 0.5 && request.cause != ThrottleCause::operator_request &&
           request.cause != ThrottleCause::foreign_application;
  });
}

}  // namespace gpukeeper
