#pragma once

#include <string>

#include "cli/render.hpp"
#include "format/faults_json.hpp"

namespace gpukeeper::cli {

/// The page for people: a line a fault, then the worst of them explained. `all`: every one, without a limit.
std::string render_faults(const FaultsView& view, const Snapshot& snapshot, bool all, const RenderOptions& options);

/// The fault by itself: a line, who was there, and what to do where something must be done.
std::string render_fault(const FaultRecord& fault, const Snapshot& snapshot, const RenderOptions& options);

}  // namespace gpukeeper::cli
