#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"

namespace gpukeeper::cli {

struct TopOptions {
  std::string daemon;                ///< as given to --host
  bool asks = true;                  ///< a running daemon, where there is one; else this process looks itself
  std::vector<std::string> devices;  ///< selectors; empty for all
  bool ascii = false;
  std::string theme;  ///< empty: as it was left
};

/// `gpukeeper top`: the GPUs on the whole terminal, until the user ends it (src/top).
Exit top(const TopOptions& options, Context& context);

}  // namespace gpukeeper::cli
