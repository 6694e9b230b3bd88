#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace gpukeeper::top {

/// What a column of a table wants.
struct ColumnWish {
  int priority = 0;       ///< the lowest leave first where there is no room
  std::size_t least = 1;  ///< columns of the screen
  std::size_t most = 1;   ///< beyond it more room is of no use
};

/// How wide each is in a row of that width, with a blank between two: 0 for one that is left out. What is left over
/// goes to those that want more, in turn.
std::vector<std::size_t> share_out(std::span<const ColumnWish> wishes, std::size_t width);

}  // namespace gpukeeper::top
