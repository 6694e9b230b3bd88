#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "config/settings.hpp"
#include "core/listen_address.hpp"
#include "core/log_target.hpp"
#include "service/http_server.hpp"

namespace gpukeeper::service {

/// The log as it is configured; `journal` as in LogTargetOptions.
LogTargetOptions log_target_options(const config::LogSettings& settings, bool journal);

/// The server as it is configured.
HttpServerOptions http_options(const config::HttpSettings& settings);

/// Where to listen when nothing is chosen: 127.0.0.1 at kDefaultPort, and a unix socket in the first folder that there
/// is: $RUNTIME_DIRECTORY (systemd), /run/gpukeeper for root, $XDG_RUNTIME_DIR.
using Variable = std::function<std::optional<std::string>(std::string_view)>;
std::vector<ListenAddress> default_listen(const Variable& environment, uid_t user);

}  // namespace gpukeeper::service
