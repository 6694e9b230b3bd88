#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include "gpukeeper/export.hpp"

// Values as a row of bars of eight heights, one glyph a value: "▄▆▇▇▇▆▅". An absent value is a blank.
//
// The level on a fixed scale is round(value / max * 7), at most 7, so that two rows can be compared. The glyphs that
// the guide prints for 45, 67, 82, 91, 88, 75, 60 come out of no linear scale; these come out of its rule.
namespace gpukeeper {
inline namespace v0 {

using SparklineValues = std::vector<std::optional<double>>;

/// From 0 to max; empty when there are no values or max is not above 0.
GPUKEEPER_API std::string render_sparkline(const SparklineValues& values, double max = 100);
/// Between the smallest and the largest of them, at most `width` glyphs: of more values every so-many-th is shown.
/// Values that are all the same stand in the middle.
GPUKEEPER_API std::string render_sparkline_spread(const SparklineValues& values, std::size_t width);
/// From min to max, what is beyond at the end; `width` as above.
GPUKEEPER_API std::string render_sparkline_range(const SparklineValues& values, std::size_t width, double min,
                                                 double max);

/// Numbers, or numbers that may be absent, as the functions above take them.
template <std::ranges::input_range Values>
SparklineValues sparkline_values(const Values& values) {
  SparklineValues result;
  for (const auto& value : values) {
    if constexpr (requires { value.has_value(); }) {
      result.push_back(value ? std::optional(static_cast<double>(*value)) : std::nullopt);
    } else {
      result.emplace_back(static_cast<double>(value));
    }
  }
  return result;
}

/// The same three for any range: sparkline(buffer.utilization_history(0)).
template <std::ranges::input_range Values>
std::string sparkline(const Values& values, double max = 100) {
  return render_sparkline(sparkline_values(values), max);
}
inline std::string sparkline(std::initializer_list<double> values, double max = 100) {
  return render_sparkline(sparkline_values(values), max);
}
template <std::ranges::input_range Values>
std::string sparkline_spread(const Values& values, std::size_t width) {
  return render_sparkline_spread(sparkline_values(values), width);
}
template <std::ranges::input_range Values>
std::string sparkline_range(const Values& values, std::size_t width, double min, double max) {
  return render_sparkline_range(sparkline_values(values), width, min, max);
}

}  // namespace v0
}  // namespace gpukeeper
