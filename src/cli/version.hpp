#pragma once

#include <string_view>

#include "cli/context.hpp"

namespace gpukeeper::cli {

/// "0.1.0".
std::string_view program_version();

/// `gpukeeper version`: which gpukeeper this is.
Exit version(bool json, Context& context);

}  // namespace gpukeeper::cli
