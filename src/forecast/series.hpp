#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "telemetry/history_block.hpp"

namespace gpukeeper::forecast {

/// How the values that fall into a cell become one.
enum class Merged {
  middle,  ///< the middle one: a sensor that errs for a second or two is outvoted
  mean,    ///< of what adds up, as power does
};

/// A day at most of one metric, in cells of equal length of which the last ends with the latest reading. Holes of up to
/// kHole cells, as between readings a minute apart, are bridged; longer ones stay holes.
class Series {
 public:
  static constexpr std::chrono::seconds kCell{10};
  static constexpr std::size_t kHole = 6;
  static constexpr std::size_t kMostCells = 8640;

  /// `values` in order of time; one that goes back in time, lies behind `end` or is no number is left out. A cell that
  /// stands farther than `spike` from both its neighbours is no value; 0 for whatever may jump.
  Series(std::span<const TimedValue> values, MonotonicTime end, Merged merged, double spike = 0);

  std::size_t size() const { return cells_.size(); }
  bool empty() const { return cells_.empty(); }
  bool known(std::size_t cell) const { return unbroken_[cell] > 0; }
  /// The value of a cell that is known.
  double at(std::size_t cell) const { return cells_[cell]; }
  /// How many cells in a row are known of which this is the last.
  std::size_t unbroken(std::size_t cell) const { return unbroken_[cell]; }
  /// The lowest that is known; of a series with a value.
  double lowest() const;
  /// How many are known.
  std::size_t known() const { return known_; }

  /// Of least squares through a cell and the `before` cells before it, a second; all must be known.
  double slope(std::size_t cell, std::size_t before) const;
  /// Over the cells in (cell - count, cell] that are known, and how many these are.
  struct Mean {
    double value = 0;
    std::size_t count = 0;
  };
  Mean mean(std::size_t cell, std::size_t count) const;

 private:
  void bridge_holes();
  void drop_spikes(double spike);
  void count();

  std::vector<double> cells_;           // NaN where nothing is known
  std::vector<std::size_t> unbroken_;   // of each cell
  std::vector<double> sums_;            // of what is known before each cell, and after the last
  std::vector<std::size_t> sum_known_;  // how many these are
  std::size_t known_ = 0;
};

}  // namespace gpukeeper::forecast
