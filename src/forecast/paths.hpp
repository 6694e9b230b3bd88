#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "forecast/series.hpp"
#include "forecast/warming.hpp"

namespace gpukeeper::forecast {

/// How a value may go on.
enum class Course {
  stays,       ///< as it is: what every other must beat
  levels_off,  ///< on at its slope, ever slower
  straight,    ///< on at its slope
  returns,     ///< to what it was on average
  power,       ///< to the level that the power of late leads to
  repeats,     ///< as one period before
};

std::string_view to_string(Course course);
inline constexpr Course kCourses[] = {Course::stays,   Course::levels_off, Course::straight,
                                      Course::returns, Course::power,      Course::repeats};

struct Method {
  Course course = Course::stays;
  std::size_t cells = 0;  ///< of the past that the slope, the average or the power is taken from
  double tau = 0;         ///< seconds; of levels_off and returns
};

/// A value from one moment on: a straight line and an approach on top of each other, or what was a period before.
struct Path {
  double value = 0;
  double per_second = 0;
  double rest = 0;                ///< that it still goes, by and by
  double tau = 1;                 ///< seconds
  const Series* again = nullptr;  ///< what is repeated, and where, in cells; it must outlive this
  std::size_t cell = 0;
  std::size_t period = 0;

  double at(double seconds) const;
  /// The highest from now on until then.
  double highest(double seconds) const;
};

/// What each method says at each moment, from what was known by then and nothing later.
class Paths {
 public:
  static constexpr std::size_t kLookBack = 12;  ///< cells without a hole that a moment must have behind it

  /// `watts` may be null; its last cell ends as that of the values. Both must outlive it.
  Paths(const Series& values, const Series* watts);

  const Series& values() const { return values_; }
  bool starts(std::size_t cell) const { return values_.unbroken(cell) > kLookBack; }
  /// Nothing where the method lacks what it goes by.
  std::optional<Path> path(const Method& method, std::size_t cell) const;

 private:
  std::optional<std::size_t> watts_cell(std::size_t cell) const;
  std::optional<Path> after_power(const Method& method, std::size_t cell) const;

  const Series& values_;
  const Series* watts_;
  std::vector<std::optional<Warming::Law>> laws_;  // learnt by each cell
  std::optional<std::size_t> period_;              // in cells
};

}  // namespace gpukeeper::forecast
