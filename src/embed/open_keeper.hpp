#pragma once

#include <memory>

#include "embed/keeper.hpp"
#include "embed/options.hpp"

namespace gpukeeper::embed {

/// One that asks a daemon where the options name one, else one that looks for itself.
/// Errors: those of either.
Result<std::unique_ptr<Keeper>> open_keeper(const KeeperOptions& options);

}  // namespace gpukeeper::embed
