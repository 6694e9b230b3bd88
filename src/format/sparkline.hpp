#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

// Values as a row of bars, eight levels of height: "▁▂▃▄▅▆▇█", or "_.-:=+*#" without UTF-8. One glyph a value; an
// absent value is a blank.
namespace gpukeeper {

using SparkValues = std::span<const std::optional<double>>;

/// On a fixed scale from 0: the level is round(value / max * 7), at least 0 and at most 7. Empty when there are no
/// values or max is not above 0. For percentages max is 100, so that two rows can be compared.
std::string sparkline(SparkValues values, double max, bool utf8 = true);

/// From min to max, beyond them the lowest and the highest level. With min = max all are in the middle, the fifth
/// level.
std::string sparkline_between(SparkValues values, double min, double max, bool utf8 = true);

/// Between the smallest and the largest of them, at most `width` glyphs: of more values every so-many-th is shown.
std::string sparkline_spread(SparkValues values, std::size_t width, bool utf8 = true);

}  // namespace gpukeeper
