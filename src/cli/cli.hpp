#pragma once

#include <memory>
#include <span>
#include <string>

#include "cli/command_tree.hpp"
#include "cli/context.hpp"

namespace gpukeeper::cli {

/// Parses the command line, runs the subcommand and returns the exit status: 0, 1 failure, 2 usage.
int run(int argc, char** argv);

/// The parser's own account of itself.
CommandTree command_tree();

}  // namespace gpukeeper::cli
