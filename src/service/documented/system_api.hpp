#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "service/documented/gpu_memory.hpp"
#include "service/router.hpp"
#include "service/routes.hpp"

namespace gpukeeper::service::documented {

/// The system monitor of the documents: the GPUs and their processes (`/api/gpu/summary`, `/api/gpu/processes`), how
/// the service is (`/api/health`, `/ready`, `/api/status`, `/api/monitoring/stats`), and the computer around the GPUs
/// (`/api/system/…`), where Sights::machine is there. No envelope: an answer is the object itself.
///
/// `health`: the answer of GET /health. `memory`: for `/api/system/status`, which both documented systems name.
std::vector<Route> system_api_routes(const std::shared_ptr<const Sights>& sights,
                                     const std::shared_ptr<const Hands>& hands,
                                     const std::shared_ptr<GpuMemory>& memory, std::function<Response()> health);

/// The answer of `/api/monitoring/stats`: a JSON object.
std::string monitoring_stats(const Sights& sights, const Hands& hands);

}  // namespace gpukeeper::service::documented
