#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/result.hpp"
#include "device/backend.hpp"

namespace gpukeeper::nvml {

struct Library;

struct Options {
  std::string library;  ///< a path or soname; empty for NVIDIA's own in its usual places
  const Files& files;   ///< this machine's /sys and /proc
  const Clock& clock;
  bool wake = false;  ///< read sleeping GPUs too, which wakes them
  /// For one GPU to say who it is. It is started up then, not by nvmlInit_v2 (nvml.h), and without persistence mode a
  /// healthy one takes about 1.5 s for that (monitoring research 3d).
  std::chrono::milliseconds attach_patience{3000};
  double calls_per_second = 8;  ///< for one GPU with its process list; what can wait is asked for less often then
};

/// The NVIDIA GPUs of this machine through NVML. Loads the library, but opens no driver: list() does, unless a GPU
/// sleeps.
/// Errors: unavailable when the library cannot be loaded; the message says what to do.
Result<std::unique_ptr<Backend>> open(const Options& options);

/// The same over a table of functions, asked for again when the driver came back in another version.
using Loader = std::function<Result<std::shared_ptr<const Library>>()>;
std::unique_ptr<Backend> make_backend(std::shared_ptr<const Library> library, Loader loader, const Options& options);

}  // namespace gpukeeper::nvml
