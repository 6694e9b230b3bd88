#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"
#include "format/connections.hpp"

namespace gpukeeper::cli {

struct DevicesOptions {
  bool json = false;
  std::vector<std::string> devices = {};  ///< selectors; empty for all
  bool asks = false;                      ///< a daemon that somebody has named
  std::string daemon = {};                ///< as given to --host
};

/// `gpukeeper devices`: what every GPU is, and how they are connected. That does not change: a daemon is asked only
/// where somebody says which, and then the page begins with the name of its machine.
Exit devices(const DevicesOptions& options, Context& context);

/// The same as text, from a snapshot and the way between each two of its devices.
std::string render_devices(const Snapshot& snapshot, const ConnectionTable& ways, std::span<const Finding> findings,
                           const RenderOptions& options);

}  // namespace gpukeeper::cli
