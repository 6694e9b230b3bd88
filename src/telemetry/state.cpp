#include "telemetry/state.hpp"

#include <algorithm>

namespace gpukeeper {
namespace {

template <class Unit>
State rank(Unit value, Unit optimal, Unit normal, Unit throttle) {
  if (value < optimal) return State::optimal;
  if (value < normal) return State::normal;
  if (value < throttle) return State::throttled;
  return State::critical;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::optimal: return "optimal";
    case State::normal: return "normal";
    case State::throttled: return "throttled";
    case State::critical: return "critical";
    case State::unavailable: return "unavailable";
  }
  return "unavailable";
}

State state_of(const Reading& reading, const Thresholds& t) {
  const auto memory = memory_percent(reading);
  const auto temperature = guarding_temperature(reading);
  if (!temperature && !memory) return State::unavailable;
  State state = State::optimal;
  if (temperature) state = std::max(state, rank(*temperature, t.temp_optimal, t.temp_normal, t.temp_throttle));
  if (memory) state = std::max(state, rank(*memory, t.memory_optimal, t.memory_normal, t.memory_critical));
  return state;
}

}  // namespace gpukeeper
