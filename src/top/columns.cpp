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

Cells::Cells(std::span<const ColumnWish> wishes, std::size_t width, std::size_t first) {
  const auto widths = share_out(wishes, width);
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    places_.push_back({first, widths[i], wishes[i].right});
    if (widths[i] > 0) first += widths[i] + 1;
  }
}

void Cells::put(const Area& area, std::size_t column, std::size_t y, std::string_view text, Style style) const {
  const Place& place = places_[column];
  if (place.width == 0) return;
  if (place.right) {
    area.put_right(place.at + place.width, y, text, style);
  } else {
    area.put(place.at, y, text, style, place.width);
  }
}

}  // namespace gpukeeper::top
