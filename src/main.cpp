#include <cstdio>
#include <cstdlib>

#include "cli/cli.hpp"

int main(int argc, char** argv) {
  const int status = gpukeeper::cli::run(argc, argv);
  // A thread that hangs in a driver cannot be ended, and the destructors of the driver's library could wait for a lock
  // that it holds. So none are run.
  std::fflush(nullptr);
  std::_Exit(status);
}
