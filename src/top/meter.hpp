#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "top/canvas.hpp"

// Bars of one row.
namespace gpukeeper::top {

/// A part of a bar, one after the other.
struct MeterPart {
  double share = 0;  ///< of the whole, 0 to 1
  char32_t glyph = U'█';
  Role role = Role::text;
};

/// A sign over the bar at that share of it.
struct MeterMark {
  double share = 0;
  char32_t glyph = U'┃';
  Role role = Role::text;
};

/// Draws it. A part of one single colour ends in an eighth of a column; several are told apart by their signs and end
/// at whole columns, each that is not zero at least one wide.
void draw_meter(const Area& area, std::size_t x, std::size_t y, std::size_t width, const std::vector<MeterPart>& parts,
                const std::vector<MeterMark>& marks = {});

}  // namespace gpukeeper::top
