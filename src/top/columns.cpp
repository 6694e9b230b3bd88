#include "top/columns.hpp"

#include <algorithm>
#include <numeric>

namespace gpukeeper::top {

std::vector<std::size_t> share_out(std::span<const ColumnWish> wishes, std::size_t width) {
  std::vector<std::size_t> widths(wishes.size(), 0);
  std::vector<std::size_t> order(wishes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return wishes[a].priority > wishes[b].priority; });
  std::size_t used = 0;
  for (const std::size_t i : order) {
    const std::size_t needed = wishes[i].least + (used > 0 ? 1 : 0);
    if (used + needed > width) break;  // a less important one does not slip in instead: rows would look at random
    widths[i] = wishes[i].least;
    used += needed;
  }
  for (bool grown = true; grown && used < width;) {
    grown = false;
    for (std::size_t i = 0; i < wishes.size() && used < width; ++i) {
      if (widths[i] == 0 || widths[i] >= wishes[i].most) continue;
      ++widths[i];
      ++used;
      grown = true;
    }
  }
  return widths;
}

}  // namespace gpukeeper::top
