#pragma once

namespace gpukeeper::config {

/// What a plain number may be, the bounds included.
struct Bounds {
  double least;
  double most;
};

}  // namespace gpukeeper::config
