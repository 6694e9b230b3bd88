#include "telemetry/throttling.hpp"

namespace gpukeeper {

std::string_view to_string(ThrottleCause cause) {
  switch (cause) {
    case ThrottleCause::thermal: return "thermal";
    case ThrottleCause::power: return "power";
    case ThrottleCause::memory: return "memory";
    case ThrottleCause::load: return "load";
    case ThrottleCause::operator_request: return "operator";
    case ThrottleCause::foreign_application: return "foreign_application";
    case ThrottleCause::missing_sensor: return "missing_sensor";
  }
  return "thermal";
}

}  // namespace gpukeeper
