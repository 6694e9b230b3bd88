#pragma once

#include "cli/declaration.hpp"

namespace gpukeeper::cli {

/// The commands about leases: run, allocate and what ends one, what looks at them, what has memory given back.
void declare_lease_commands(Declaration& line, Arguments& arguments);

}  // namespace gpukeeper::cli
