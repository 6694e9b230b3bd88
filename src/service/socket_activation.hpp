#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/result.hpp"
#include "service/listener.hpp"

namespace gpukeeper::service {

/// Sockets that listen already, as systemd opens them for a .socket unit (sd_listen_fds(3)).
struct PassedSockets {
  std::vector<Listener> own;      ///< where serve answers, in place of the usual places
  std::vector<Listener> metrics;  ///< as metrics.listen: FileDescriptorName=metrics

  bool any() const { return !own.empty() || !metrics.empty(); }
};

/// What $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES pass on to the process `self`; nothing where they are for another,
/// or not set. With FileDescriptorName=https TLS is spoken there, and with https-metrics where metrics are. The
/// descriptors begin at 3; they belong to what is returned, so this is for once.
/// Errors: invalid_argument, with the descriptor, for what is no listening stream socket of TCP or unix.
using Variable = std::function<std::optional<std::string>(std::string_view)>;
Result<PassedSockets> passed_sockets(const Variable& environment, pid_t self);

}  // namespace gpukeeper::service
