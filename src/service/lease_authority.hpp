#pragma once

#include "ledger/lease.hpp"
#include "service/authority.hpp"

namespace gpukeeper::service {

inline bool is_admin(const Request& request) {
  return request.who.role == auth::Role::admin && !request.who.service;
}

/// Whether a lease is the asker's own: of his user and, where his token is for one service, of that service.
inline bool is_own(const Request& request, const Lease& lease, uid_t own_uid) {
  const auto& service = request.who.service;
  return lease.uid == user_of(request, own_uid) && (!service || ServiceEqual()(lease.service.text(), *service));
}

}  // namespace gpukeeper::service
