#pragma once

#include <vector>

#include "backend/simulated/scenario.hpp"
#include "device/event.hpp"

namespace gpukeeper::simulated {

/// What the drivers of a scenario's devices report in (after, until], in seconds from its start, oldest first. `begin`
/// is the wall time of that start. A fault that happened more than a hundred times in between is one event with its
/// count, so that no scenario makes an endless list. Errors of memory (`ecc`) are none of them: those are counters.
std::vector<DeviceEvent> events_between(const Scenario& scenario, double after, double until, WallTime begin);

}  // namespace gpukeeper::simulated
