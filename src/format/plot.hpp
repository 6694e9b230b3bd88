#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

// A curve over time drawn with characters.
namespace gpukeeper {

/// What happened in one column of dots: the curve fills it from low to high, so that no short peak is lost.
struct PlotColumn {
  double low = 0;
  double high = 0;
};

struct PlotOptions {
  std::size_t width = 80;  ///< columns of the page, axis included
  std::size_t height = 8;  ///< rows of the curve, the axis of time not counted
  bool utf8 = true;        ///< dots in braille, two by four in a character; else asterisks, one in each
  WallTime from{};         ///< of the left edge
  WallTime to{};           ///< of the right edge
  std::chrono::seconds utc_offset{0};
  std::string_view unit;      ///< of the metric table
  std::optional<double> top;  ///< highest value of the scale, which then begins at 0; else it fits the values
};

/// Columns of dots that a plot has room for.
std::size_t plot_columns(const PlotOptions& options);

/// How values of a unit are written beside an axis: divided, and with a short sign.
struct PlotUnit {
  double divisor = 1;
  std::string sign;  ///< "°C", "%", "GiB", "W"; empty for a plain number
};
PlotUnit plot_unit(std::string_view unit, double highest, bool utf8 = true);

/// The lines of the plot, without line ends: rows with their scale at the left, below them the axis of time. An absent
/// column stays empty. As many columns as plot_columns() says are used.
std::vector<std::string> plot(std::span<const std::optional<PlotColumn>> columns, const PlotOptions& options);

}  // namespace gpukeeper
