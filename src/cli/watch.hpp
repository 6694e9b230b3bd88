#pragma once

#include <chrono>
#include <functional>

#include "cli/context.hpp"

namespace gpukeeper::cli {

/// A snapshot as text. `height`: rows of the screen that it may fill; 0 for any number. An error ends the watch.
using PageMaker = std::function<Result<std::string>(const Snapshot& snapshot, std::size_t height)>;

struct WatchOptions {
  std::chrono::nanoseconds pause{};  ///< from start to start
  bool drawn = false;                ///< page over page on the alternate screen; else one after the other
};

/// --watch: pages until interrupted. What is drawn leaves the last page behind on the terminal.
Exit watch(const WatchOptions& options, const PageMaker& page, Feed& feed, Context& context, Interrupts& interrupts);

}  // namespace gpukeeper::cli
