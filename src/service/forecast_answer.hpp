#pragma once

#include "service/history_answer.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// GET /api/v1/forecast?device=: what the temperatures and the memory will be, and when limits are reached.
/// 400 for a parameter that is unknown or wrong, 404 for a device that there is not, 503 before the first tick.
Response forecast_answer(const Request& request, const Past& past, const Snapshot& snapshot);

}  // namespace gpukeeper::service
