#include "service/authority.hpp"

namespace gpukeeper::service {

bool may_change(const Peer& peer, uid_t own_uid) {
  return peer.credentials && (peer.credentials->uid == 0 || peer.credentials->uid == own_uid);
}

std::optional<Response> refuse_change(const Request& request, uid_t own_uid) {
  if (may_change(*request.peer, own_uid)) return std::nullopt;
  return problem(
      403, "not_permitted",
      request.peer->over_unix_socket()
          ? "this changes what gpukeeper does: only root and the user that it runs as may"
          : "this changes what gpukeeper does: it is taken over the unix socket only, from root and from the "
            "user that it runs as");
}

}  // namespace gpukeeper::service
