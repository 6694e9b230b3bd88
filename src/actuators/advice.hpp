#pragma once

#include <string>

#include "actuators/actuator.hpp"
#include "telemetry/throttling.hpp"

namespace gpukeeper {

/// How fast work may go, as far as one kind of actuator has to do with it; and why.
struct Advice {
  double multiplier = 1;
  std::string reason;
};

/// What the governor's requests come to for this kind of actuator, 1 for none of them.
///
/// A power limit, locked clocks and a freeze follow those that work on the device can do something about; a fan only
/// heat. A full memory is none: slower work frees none of it. Only what is known to be hot is frozen, or what a person
/// wants to stand still.
Advice advice_for(ActuatorKind kind, const Throttling& throttling);

}  // namespace gpukeeper
