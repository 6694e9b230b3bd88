#pragma once

#include <cstdint>
#include <string>

namespace gpukeeper {

/// What went wrong in the engine's own steps: a mistake of ours, or no memory. The devices' faults are none of it.
struct EngineTrouble {
  std::uint64_t count = 0;  ///< since the engine was made
  std::string last;         ///< "the governor: std::bad_alloc"
  bool lasting = false;     ///< the latest step was one of these

  friend bool operator==(const EngineTrouble&, const EngineTrouble&) = default;
};

}  // namespace gpukeeper
