#pragma once

namespace gpukeeper::cli {

/// Parses the command line, runs the subcommand and returns the exit status: 0, 1 failure, 2 usage.
int run(int argc, char** argv);

}  // namespace gpukeeper::cli
