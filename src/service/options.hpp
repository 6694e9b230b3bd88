#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "config/settings.hpp"
#include "core/files.hpp"
#include "core/listen_address.hpp"
#include "core/log_target.hpp"
#include "service/http_server.hpp"

namespace gpukeeper::service {

/// The log as it is configured; `journal` as in LogTargetOptions.
LogTargetOptions log_target_options(const config::LogSettings& settings, bool journal);

/// The server as it is configured.
HttpServerOptions http_options(const config::HttpSettings& settings);

/// Whether that may be served: addresses that other machines reach only with something to know them by, which is a
/// token, or over TLS a certificate that auth.certificates is about; or with consent (insecure_listen).
/// Errors: invalid_argument, which says what would be right; those of TokenFile::read.
Result<void> check_listen(const config::Settings& settings, const std::string& state_directory);

/// Whether the files of TLS do, where anything listens with it. Errors: those of read_tls and TlsContext::make.
Result<void> check_tls(const config::Settings& settings, const Files& files);

/// Where to listen when nothing is chosen: 127.0.0.1 at kDefaultPort, and a unix socket in the first folder that there
/// is: $RUNTIME_DIRECTORY (systemd), /run/gpukeeper for root, $XDG_RUNTIME_DIR.
using Variable = std::function<std::optional<std::string>(std::string_view)>;
std::vector<ListenAddress> default_listen(const Variable& environment, uid_t user);

}  // namespace gpukeeper::service
