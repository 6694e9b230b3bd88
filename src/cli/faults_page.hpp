#pragma once

#include <string>

#include "cli/render.hpp"
#include "format/faults_json.hpp"

namespace gpukeeper::cli {

/// The page for people: a line a fault, then the worst of them explained. `all`: every one, without a limit.
std::string render_faults(const FaultsView& view, const Snapshot& snapshot, bool all, const RenderOptions& options);

}  // namespace gpukeeper::cli
