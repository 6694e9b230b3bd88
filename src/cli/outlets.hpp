#pragma once

#include "config/settings.hpp"
#include "core/log.hpp"
#include "service/outlet.hpp"

namespace gpukeeper::cli {

/// Where readings are taken to, as it is configured. `log` outlives what is made; null where nothing is configured.
service::MakeOutlets outlets_of(const config::Settings& settings, Log& log);

}  // namespace gpukeeper::cli
