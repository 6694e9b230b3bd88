#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "forecast/backtest.hpp"

namespace gpukeeper::forecast {

/// What is a metric's own.
struct Rules {
  std::span<const Method> methods;  ///< the first is that it stays
  double moves = 0;                 ///< a second; from then on it is moving
  double resolution = 0;            ///< an interval reaches so far to either side at the least
  double spike = 0;                 ///< as Series has it
  std::optional<double> least = {};
  std::optional<double> most = {};    ///< more there is not
  bool not_below_its_lowest = false;  ///< rooms do not get colder all of a sudden, while work can become more
};

/// Of degrees Celsius.
Rules temperature_rules();
/// Of bytes, of which there are so many.
Rules memory_rules(std::optional<double> total);

/// How far ahead people are told.
inline constexpr std::array kHorizons = {std::chrono::seconds(60), std::chrono::seconds(300), std::chrono::seconds(900),
                                         std::chrono::seconds(3600)};

/// What is expected at one time ahead.
struct Point {
  std::chrono::seconds ahead{0};
  double expected = 0;
  double low = 0;  ///< kStated of the outcomes lie between these two, as far as the past can tell
  double high = 0;
  double peak = 0;       ///< the highest until then: as often higher as lower
  double peak_low = 0;   ///< in nine of ten cases it gets at least so high
  double peak_high = 0;  ///< in one of ten cases it gets higher
  Course course = Course::stays;
  double error = 0;           ///< that this method was off in the past, on average
  double error_if_stays = 0;  ///< that "it stays as it is" was off then
  std::size_t forecasts = 0;  ///< of the past that this was measured in
  std::size_t stretches = 0;  ///< how many of these do not overlap
};

struct Forecast {
  double current = 0;
  std::chrono::nanoseconds known{0};  ///< of the past, without its gaps
  std::vector<Point> points;          ///< nearest first, half a minute apart; may be empty
  std::string beyond;                 ///< a sentence: why there is nothing after the last point; empty after an hour

  const Point* at(std::chrono::seconds ahead) const;
  /// How far it reaches.
  std::chrono::seconds reach() const;
};

/// The forecast of values in order of time, up to `now`. `watts`: the power drawn meanwhile; empty where it is unknown.
/// Errors: not_found where nothing was measured, nothing lately, or nothing without a gap for two minutes; the message
/// says which.
Result<Forecast> forecast_of(std::span<const TimedValue> values, std::span<const TimedValue> watts, MonotonicTime now,
                             const Rules& rules);

enum class Reach {
  reached,     ///< it is there already
  expected,    ///< within the time that the forecast reaches, in half of the cases or more
  possible,    ///< in one of ten or more
  not_within,  ///< in fewer
  unknown,     ///< there is no forecast
};

std::string_view to_string(Reach reach);
inline constexpr Reach kReaches[] = {Reach::reached, Reach::expected, Reach::possible, Reach::not_within,
                                     Reach::unknown};

/// When a value comes up to a limit.
struct Crossing {
  Reach reach = Reach::unknown;
  std::chrono::seconds within{0};                ///< how far the forecast reaches
  std::optional<std::chrono::seconds> earliest;  ///< in one of ten cases it is there by then
  std::optional<std::chrono::seconds> expected;  ///< in half of them
  std::optional<std::chrono::seconds> latest;    ///< in nine of ten; nothing: not within that time
  friend bool operator==(const Crossing&, const Crossing&) = default;
};

Crossing crossing_of(const Forecast& forecast, double limit);

}  // namespace gpukeeper::forecast
