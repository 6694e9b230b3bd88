#pragma once

#include "config/live_config.hpp"
#include "core/result.hpp"
#include "embed/options.hpp"

namespace gpukeeper::embed {

/// The configuration of a keeper in this process: the file and the environment as for every command, and on top of them
/// what the options say. Errors: those of LiveConfig::open.
Result<config::LiveConfig> open_configuration(const KeeperOptions& options);

}  // namespace gpukeeper::embed
