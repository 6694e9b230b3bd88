#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "device/gpu_process.hpp"

namespace gpukeeper {

/// What is known of a process when it is judged. Everything but the type may be empty: not every process may be read.
/// Texts are as the kernel gives them, with nothing masked; the verdict repeats no argument but a pool's host and port.
struct Evidence {
  std::string_view command;                 ///< the kernel's short name (comm), at most 15 bytes
  std::string_view executable;              ///< its path; " (deleted)" may stand at its end
  std::vector<std::string_view> arguments;  ///< argv, the program's own name first
  ProcessType type;
  /// How long it has kept a GPU at 50 % or more, without a pause; none when that is not known.
  std::optional<std::chrono::seconds> busy_for;
};

}  // namespace gpukeeper
