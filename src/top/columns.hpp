#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "top/canvas.hpp"

namespace gpukeeper::top {

/// What a column of a table wants.
struct ColumnWish {
  int priority = 0;       ///< the lowest leave first where there is no room
  std::size_t least = 1;  ///< columns of the screen
  std::size_t most = 1;   ///< beyond it more room is of no use
  bool right = false;     ///< numbers stand at the right of it
};

/// How wide each is in a row of that width, with a blank between two: 0 for one that is left out. What is left over
/// goes to those that want more, in turn.
std::vector<std::size_t> share_out(std::span<const ColumnWish> wishes, std::size_t width);

/// The columns of a table, where each stands in an area.
class Cells {
 public:
  /// In so many columns of the screen, from `first` on.
  Cells(std::span<const ColumnWish> wishes, std::size_t width, std::size_t first);

  std::size_t at(std::size_t column) const { return places_[column].at; }
  std::size_t width(std::size_t column) const { return places_[column].width; }  ///< 0: it is left out

  /// As much of the text as there is room for; nothing in a column that is left out.
  void put(const Area& area, std::size_t column, std::size_t y, std::string_view text, Style style = {}) const;

 private:
  struct Place {
    std::size_t at = 0;
    std::size_t width = 0;
    bool right = false;
  };
  std::vector<Place> places_;
};

}  // namespace gpukeeper::top
