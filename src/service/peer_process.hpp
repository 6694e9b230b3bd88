#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <sys/types.h>

#include "ledger/lease.hpp"
#include "service/http.hpp"

namespace gpukeeper::service {

/// The process at the other end of a connected unix socket; `pid` as SO_PEERCRED gives it. Nothing when it has ended,
/// or lives in a pid namespace that we cannot see (0). What is said is said of the process that connected and of no
/// later one with its pid: the socket itself refers to it (SO_PEERPIDFD, Linux 6.5), elsewhere a descriptor that is
/// taken at once.
std::optional<ProcessOwner> peer_process(int socket, pid_t pid);

/// A process that runs now, and the user it runs as.
struct LiveProcess {
  ProcessOwner process;
  uid_t uid = 0;
};
using FindProcess = std::function<std::optional<LiveProcess>(pid_t)>;

/// Of this machine, by /proc; nothing when there is none.
std::optional<LiveProcess> find_process(pid_t pid);

/// This very process as a client, for answers that are made without a socket.
std::shared_ptr<const Peer> this_process();

}  // namespace gpukeeper::service
