#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.hpp"
#include "config/live_config.hpp"

namespace gpukeeper::cli {

/// An option that is a key of the configuration, too: --listen.
struct KeyOption {
  std::string_view key;
  std::string_view option;
  std::vector<std::string> values;  ///< empty: it was not given
};

/// What the command line says of the configuration.
struct ConfigArguments {
  std::string file;              ///< --config; else GPUKEEPER_CONFIG, else the usual file where it is there
  std::vector<std::string> set;  ///< --set KEY=VALUE
  std::vector<KeyOption> options;
};

/// Where the configuration of this command comes from.
/// Errors: invalid_argument for a --set that is no KEY=VALUE of a key that there is.
Result<config::Sources> config_sources(const ConfigArguments& arguments, const Environment& environment);

}  // namespace gpukeeper::cli
