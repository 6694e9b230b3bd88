#include <algorithm>

#include "top/view.hpp"

namespace gpukeeper::top {
namespace {

constexpr std::size_t kLineWidth = 76;    // a GPU in one row says all that matters from here on
constexpr std::size_t kBlockWidth = 74;   // as a block
constexpr std::size_t kAsideLeast = 150;  // of the screen
constexpr std::size_t kMostColumns = 4;

std::size_t rows_of(std::size_t gpus, std::size_t columns) {
  return (gpus + columns - 1) / columns;
}

}  // namespace

Layout layout_of(std::size_t width, std::size_t height, std::size_t gpus, const Preferences& preferences) {
  Layout layout;
  const std::size_t header = height >= 20 && gpus > 1 ? 2 : 1;
  layout.header = {0, 0, width, header};
  layout.footer = {0, height - 1, width, 1};
  const std::size_t body = height - header - 2;  // without the tabs' row
  const std::size_t least_list = std::min<std::size_t>(body / 2, height >= 30 ? 12 : 7);
  const std::size_t room = body - least_list;  // for GPUs, at most

  const std::size_t block_columns = std::clamp<std::size_t>(width / kBlockWidth, 1, kMostColumns);
  const std::size_t block_rows = rows_of(gpus, block_columns) * kBlockLines;
  const bool as_blocks =
      preferences.gpus == GpuSize::block || (preferences.gpus == GpuSize::automatic && block_rows <= room);
  if (as_blocks) {
    layout.gpu_lines = kBlockLines;
    layout.gpu_columns = std::min(block_columns, std::max<std::size_t>(gpus, 1));
    layout.gpus.height = std::min(block_rows, room / kBlockLines * kBlockLines);
  } else {
    // A second column only where one would not do: a wide row has room for curves.
    layout.gpu_columns = 1;
    while (rows_of(gpus, layout.gpu_columns) + 1 > room && layout.gpu_columns < kMostColumns &&
           width / (layout.gpu_columns + 1) >= kLineWidth) {
      ++layout.gpu_columns;
    }
    layout.gpus.height = std::min(rows_of(gpus, layout.gpu_columns) + 1, room);  // and their heading
  }
  layout.gpus.height = std::max<std::size_t>(layout.gpus.height, 1);
  layout.gpus = {0, header, width, layout.gpus.height};
  const std::size_t tabs = header + layout.gpus.height;
  layout.tabs = {0, tabs, width, 1};
  const std::size_t list = tabs + 1;
  const std::size_t list_height = height - 1 > list ? height - 1 - list : 0;
  const std::size_t aside =
      preferences.aside && width >= kAsideLeast && list_height >= 8 ? std::clamp<std::size_t>(width / 3, 50, 84) : 0;
  layout.list = {0, list, width - aside, list_height};
  if (aside > 0) layout.aside = {width - aside, list, aside, list_height};
  return layout;
}

}  // namespace gpukeeper::top
