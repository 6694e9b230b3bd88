#pragma once

#include "cli/context.hpp"

namespace gpukeeper::cli {

/// `gpukeeper version`: which gpukeeper this is.
Exit version(bool json, Context& context);

}  // namespace gpukeeper::cli
