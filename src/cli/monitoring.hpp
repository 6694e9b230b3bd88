#pragma once

#include <string>

#include "cli/context.hpp"

namespace gpukeeper::cli {

struct MonitoringOptions {
  std::string action;  ///< start, stop, status or health
  std::string daemon;  ///< as for client::Daemon::find
  bool json = false;
};

/// `gpukeeper monitoring`: whether a running daemon looks at the GPUs all the time, and whether it is well.
Exit monitoring(const MonitoringOptions& options, Context& context);

}  // namespace gpukeeper::cli
