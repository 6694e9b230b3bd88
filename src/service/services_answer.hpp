#pragma once

#include <functional>
#include <memory>

#include "booking/bookkeeper.hpp"
#include "service/router.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// The row of GET /api/v1/services: what every service may, has and waits for. `book` gives null while it is not open:
/// 503 then. It may wait for who writes into the book.
Route services_route(std::function<Bookkeeper*()> book, std::function<std::shared_ptr<const Snapshot>()> snapshot);

}  // namespace gpukeeper::service
