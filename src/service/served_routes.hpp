#pragma once

#include <memory>
#include <vector>

#include "service/routes.hpp"

namespace gpukeeper::service {

/// What only a server can answer, to clients over a connection: events, Socket.IO, browsers that sign in, the audit
/// log, reports. Apart from routes(), so that a program that embeds gpukeeper does not carry it (Sights::served).
std::vector<Route> served_routes(const std::shared_ptr<const Sights>& sights, const std::shared_ptr<const Hands>& hands,
                                 const BookedLeases& leases);

}  // namespace gpukeeper::service
