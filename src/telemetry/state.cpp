#include "telemetry/state.hpp"

#include <algorithm>
#include <cmath>

namespace gpukeeper {
namespace {

template <class Unit>
State rank(Unit value, Unit optimal, Unit normal, Unit throttle) {
  if (value < optimal) return State::optimal;
  if (value < normal) return State::normal;
  if (value < throttle) return State::throttled;
  return State::critical;
}

// What is no number says nothing, as a value that is absent does.
template <class Unit>
bool tells(const Metric<Unit>& metric) {
  return metric && std::isfinite(metric->value());
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

State state_of(Celsius temperature, const Thresholds& t) {
  return rank(temperature, t.temp_optimal, t.temp_normal, t.temp_throttle);
}

State state_of(Percent memory, const Thresholds& t) {
  return rank(memory, t.memory_optimal, t.memory_normal, t.memory_critical);
}

State state_of(const Reading& reading, const Thresholds& t) {
  const auto memory = memory_percent(reading);
  const auto temperature = guarding_temperature(reading);
  if (!tells(temperature) && !tells(memory)) return State::unavailable;
  State state = State::optimal;
  if (tells(temperature)) state = std::max(state, state_of(*temperature, t));
  if (tells(memory)) state = std::max(state, state_of(*memory, t));
  return state;
}

}  // namespace gpukeeper
