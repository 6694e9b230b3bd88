#pragma once

#include <string>

#include <sys/types.h>

#include "service/http.hpp"

namespace gpukeeper::service {

/// Who asks, as serve says it where neither groups nor tokens are configured: root and `own` are admins, other users of
/// the unix socket viewers, and so is whoever comes over TCP.
inline auth::Identity identity_of(const Peer& peer, uid_t own) {
  if (!peer.credentials) return {.role = auth::Role::viewer, .name = "127.0.0.1"};
  const uid_t uid = peer.credentials->uid;
  return {.role = uid == 0 || uid == own ? auth::Role::admin : auth::Role::viewer,
          .name = uid == 0 ? "root" : "user " + std::to_string(uid),
          .known = true};
}

}  // namespace gpukeeper::service
