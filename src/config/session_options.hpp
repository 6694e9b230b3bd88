#pragma once

#include "config/settings.hpp"
#include "core/result.hpp"
#include "engine/playback.hpp"

namespace gpukeeper::config {

/// A session as it is configured, the same for `serve` and for every command that looks by itself: its pace, how it
/// governs, its alerts and what it remembers. `attribute`: it says who the processes are, and what kind of work they do
/// by the rules that are configured; nobody else reads these. What is not configured, such as who listens, the caller
/// adds.
/// Errors: of the file of rules those of Classifier::load.
Result<SessionOptions> session_options(const Settings& settings, bool attribute);

}  // namespace gpukeeper::config
