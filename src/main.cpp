#include "cli/cli.hpp"

int main(int argc, char** argv) {
  return gpukeeper::cli::run(argc, argv);
}
