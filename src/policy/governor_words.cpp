#include "policy/governor_words.hpp"

#include <cmath>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

std::string samples(int number) {
  return fmt::format("{} {}", number, number == 1 ? "sample" : "samples");
}

// What a pause or a cooldown is for; empty where the state itself is the reason.
std::string waiting(Ladder::Speed speed, const LadderRules& rules) {
  switch (speed.reason) {
    case Ladder::Reason::state: break;
    case Ladder::Reason::pause:
      return fmt::format("pausing for {} since it was critical (critical_pause_seconds)", brief(rules.pause));
    case Ladder::Reason::cooldown:
      return fmt::format("slow for {} since it was throttled (throttle_cooldown_seconds)", brief(rules.cooldown));
  }
  return {};
}

std::string recovering(const Ladder& ladder, const LadderRules& rules) {
  return fmt::format("recovering by one state at a time: {} of {} showed a better one", ladder.better(),
                     samples(rules.down));
}

// Of a value that has reached a border, as both are written: 65.04 and 65 read alike, and "65 °C, above 65 °C" is
// untrue.
std::string_view above_or_at(double value, double border) {
  return brief(value) == brief(border) ? "at" : "above";
}

}  // namespace

std::string brief(double value) {
  return fmt::format("{}", std::round(value * 10) / 10 + 0.0);  // a zero of its own: -0.04 is 0
}

std::string brief(std::chrono::nanoseconds time) {
  return brief(std::chrono::duration<double>(time).count()) + " s";
}

AxisWords temperature_words(const GovernorThresholds& t, const GovernorSettings& settings) {
  return {.unit = " °C",
          .measure = " °C",
          .borders = {t.temp_optimal.value(), t.temp_normal.value(), t.temp_throttle.value()},
          .keys = {"temp_optimal", "temp_normal", "temp_throttle"},
          .hysteresis = settings.hysteresis_celsius.value(),
          .emergency = t.temp_critical.value()};
}

AxisWords memory_words(const GovernorThresholds& t, const GovernorSettings& settings) {
  return {.unit = " % of the memory",
          .measure = " %",
          .borders = {t.memory_optimal.value(), t.memory_normal.value(), t.memory_critical.value()},
          .keys = {"memory_optimal", "memory_normal", "memory_critical"},
          .hysteresis = settings.hysteresis_memory_percent.value(),
          .emergency = std::nullopt};
}

std::string why(const AxisWords& axis, double value, int missing, const Ladder& ladder, Ladder::Speed speed,
                const LadderRules& rules) {
  std::string now = brief(value) + std::string(axis.unit);
  if (missing > 0) now += fmt::format(" when it was last told, {} ago", samples(missing));
  if (const std::string wait = waiting(speed, rules); !wait.empty()) return fmt::format("{}; {}", now, wait);
  const auto state = ladder.state().value_or(State::optimal);
  if (state == State::optimal) return now;
  const auto line = [&](std::string_view where, double border, std::string_view key) {
    return fmt::format("{}, {} {}{} ({})", now, where, brief(border), axis.measure, key);
  };
  const auto beyond = [&](double border, std::string_view key) {
    return line(above_or_at(value, border), border, key);
  };
  if (axis.emergency && value >= *axis.emergency) return beyond(*axis.emergency, "temp_critical") + ": an emergency";
  const auto index = static_cast<std::size_t>(state) - 1;  // of the border that the state begins at
  const double border = axis.borders[index];
  if (value >= border) return beyond(border, axis.keys[index]);
  if (value + axis.hysteresis > border) {
    // 72.04 reads as 72, which would be far enough.
    const bool hardly = brief(value + axis.hysteresis) == brief(border);
    return line(
        fmt::format("{} {}{} below", hardly ? "just short of" : "not yet", brief(axis.hysteresis), axis.measure),
        border, axis.keys[index]);
  }
  return fmt::format("{}; {}", now, recovering(ladder, rules));
}

std::string why_sustained(std::string_view measure, std::string_view key, double value, double border,
                          std::chrono::nanoseconds sustain, const Ladder& ladder, Ladder::Speed speed,
                          const LadderRules& rules) {
  const std::string now = fmt::format("{} {}", brief(value), measure);
  if (const std::string wait = waiting(speed, rules); !wait.empty()) return fmt::format("{}; {}", now, wait);
  if (value >= border) {
    return fmt::format("{}, {} {} % for {} or longer ({})", now, above_or_at(value, border), brief(border),
                       brief(sustain), key);
  }
  if (ladder.state() == State::throttled && ladder.better() == 0) {
    return fmt::format("{}, not yet below {} % for {} ({})", now, brief(border), brief(sustain), key);
  }
  return fmt::format("{}; {}", now, recovering(ladder, rules));
}

}  // namespace gpukeeper
