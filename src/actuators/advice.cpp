#include "actuators/advice.hpp"

namespace gpukeeper {
namespace {

bool follows(ActuatorKind kind, ThrottleCause cause) {
  switch (cause) {
    case ThrottleCause::thermal: return true;
    case ThrottleCause::operator_request: return kind != ActuatorKind::fan;
    case ThrottleCause::power:
    case ThrottleCause::load:
    case ThrottleCause::foreign_application:
      return kind == ActuatorKind::power_limit || kind == ActuatorKind::locked_clocks;
    case ThrottleCause::memory:
    case ThrottleCause::missing_sensor: return false;
  }
  return false;
}

}  // namespace

Advice advice_for(ActuatorKind kind, const Throttling& throttling) {
  Advice advice;
  for (const ThrottleRequest& request : throttling.requests) {
    if (follows(kind, request.cause) && request.multiplier < advice.multiplier) {
      advice = {request.multiplier, request.reason};
    }
  }
  return advice;
}

}  // namespace gpukeeper
