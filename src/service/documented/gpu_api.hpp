#pragma once

#include <memory>
#include <vector>

#include "service/documented/gpu_memory.hpp"
#include "service/router.hpp"
#include "service/routes.hpp"

namespace gpukeeper::service::documented {

/// `/api/gpu/` as the GPU manager of the documents has it: status, readings, history, trend, throttling, monitoring.
/// The rest of its 13 endpoints are gpu_memory's and gpu_config's.
///
/// GPUs are named by their index. `{"success": …}` stands around every answer; a GPU that is unknown or lost is an
/// answer of its status ("available": false) and 404 of its readings. What a device does not report is null.
/// `GET /api/gpu/metrics` has the system monitor's keys too, as both documents claim that path (gpu_list.hpp).
std::vector<Route> gpu_api_routes(const std::shared_ptr<const Sights>& sights,
                                  const std::shared_ptr<const Hands>& hands, const std::shared_ptr<GpuMemory>& memory);

}  // namespace gpukeeper::service::documented
