#pragma once

#include <memory>

#include "cli/top.hpp"
#include "top/feeder.hpp"

namespace gpukeeper::cli {

/// Feeds the terminal view on threads of its own: from a running daemon where one is to be asked and answers, else from
/// the sources of the command line. `context` outlives it.
std::unique_ptr<top::Feeder> make_top_feeder(const TopOptions& options, Context& context);

}  // namespace gpukeeper::cli
