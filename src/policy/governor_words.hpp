#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "policy/governor_settings.hpp"
#include "policy/ladder.hpp"

namespace gpukeeper {

/// What can be said of an axis with borders: which number decides, and which key sets it.
struct AxisWords {
  std::string_view unit;     ///< what stands behind a value: " °C", " % of the memory"
  std::string_view measure;  ///< what stands behind a border: " °C", " %"
  std::array<double, 3> borders;
  std::array<std::string_view, 3> keys;  ///< of the borders
  double hysteresis;
  std::optional<double> emergency;  ///< the line, of the temperature: temp_critical
};

AxisWords temperature_words(const GovernorThresholds& thresholds, const GovernorSettings& settings);
AxisWords memory_words(const GovernorThresholds& thresholds, const GovernorSettings& settings);

/// Why the ladder asks for less than full speed: "84 °C, above 75 °C (temp_normal)". `missing`: how many samples ago
/// the value was told.
std::string why(const AxisWords& axis, double value, int missing, const Ladder& ladder, Ladder::Speed speed,
                const LadderRules& rules);

/// The same for an axis with one border, of which `measure` says "% utilization", `key` "load_throttle_percent".
std::string why_sustained(std::string_view measure, std::string_view key, double value, double border,
                          std::chrono::nanoseconds sustain, const Ladder& ladder, Ladder::Speed speed,
                          const LadderRules& rules);

/// A number with at most one decimal: "84", "84.5".
std::string brief(double value);

/// "90 s", "0.5 s".
std::string brief(std::chrono::nanoseconds time);

}  // namespace gpukeeper
