#pragma once

#include <optional>

#include <sys/types.h>

#include "service/http.hpp"

namespace gpukeeper::service {

/// Whether the one who asks may change things: root, and the user that gpukeeper runs as, vouched for by the unix
/// socket. Over TCP nobody may until there are tokens: whoever is on this machine could.
bool may_change(const Peer& peer, uid_t own_uid);

/// The refusal, 403; nothing when it may.
std::optional<Response> refuse_change(const Request& request, uid_t own_uid);

}  // namespace gpukeeper::service
