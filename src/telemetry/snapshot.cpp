#include "telemetry/snapshot.hpp"

#include <algorithm>

namespace gpukeeper {

State overall_state(const Snapshot& snapshot) {
  std::optional<State> worst;
  for (const DeviceSnapshot& device : snapshot.devices) {
    if (device.reading.attention == Attention::asleep) continue;
    worst = std::max(worst.value_or(State::optimal), device.state);
  }
  return worst.value_or(State::unavailable);
}

}  // namespace gpukeeper
