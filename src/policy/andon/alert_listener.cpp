#include "policy/andon/alert_listener.hpp"

namespace gpukeeper {

std::string_view to_string(AlertChange::Kind kind) {
  switch (kind) {
    case AlertChange::Kind::fired: return "fired";
    case AlertChange::Kind::escalated: return "escalated";
    case AlertChange::Kind::repeated: return "repeated";
    case AlertChange::Kind::resolved: return "resolved";
  }
  return "fired";
}

}  // namespace gpukeeper
