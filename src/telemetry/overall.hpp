#pragma once

#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// The worst governed state of the devices; a sleeping device does not count. Unavailable when no device is left to
/// speak.
State overall_governed_state(const Snapshot& snapshot);

/// The pace for work that runs on all devices at once: that of the slowest; 1 when there is none.
double overall_speed(const Snapshot& snapshot);

/// Whether the GPU itself holds work back, the cooldown after that included; not a person, nor somebody's application.
bool holds_itself_back(const Throttling& throttling);

}  // namespace gpukeeper
