#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "top/feeder.hpp"
#include "top/preferences.hpp"
#include "top/terminal.hpp"

namespace gpukeeper::top {

struct AppOptions {
  Preferences preferences;
  std::vector<std::string> remarks;  ///< sentences for the foot at first: what was wrong with the saved preferences
  std::function<std::chrono::seconds(WallTime)> utc_offset = [](WallTime) { return std::chrono::seconds(0); };
};

/// Shows pictures and does what keys say, until the user ends it, a signal does, or the feeder cannot begin.
/// Returns the preferences as they were left. Errors: the feeder's.
/// Threads: one.
Result<Preferences> run(const AppOptions& options, Feeder& feeder, Terminal& terminal, const Clock& clock);

}  // namespace gpukeeper::top
