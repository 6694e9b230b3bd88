#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "top/canvas.hpp"
#include "top/model.hpp"
#include "top/ui.hpp"

// The picture: pure functions of what is known, what the user looks at and the size.
namespace gpukeeper::top {

/// What a click on a place means.
struct Hot {
  enum class Kind : std::uint8_t { gpu, tab, row, choice, sort };
  Rect rect;
  Kind kind = Kind::gpu;
  std::size_t index = 0;
};

/// What the panes are drawn with.
struct Scene {
  const Model& model;
  const Ui& ui;
  const Preferences& preferences;
};

struct Frame {
  Canvas canvas;
  std::vector<Hot> hots;
  std::size_t list_height = 0;  ///< rows of the list, for a page up or down
};

/// Where the parts of the overview stand.
struct Layout {
  Rect header, gpus, tabs, list, aside, footer;  ///< `aside` may be empty
  std::size_t gpu_columns = 1;                   ///< GPUs side by side
  std::size_t gpu_lines = 1;                     ///< rows of each: 1, or kBlockLines
};
inline constexpr std::size_t kBlockLines = 5;
inline constexpr std::size_t kLeastWidth = 40, kLeastHeight = 8;
Layout layout_of(std::size_t width, std::size_t height, std::size_t gpus, const Preferences& preferences);

Frame draw(const Scene& scene, std::size_t width, std::size_t height);

}  // namespace gpukeeper::top
