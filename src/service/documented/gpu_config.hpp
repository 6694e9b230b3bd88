#pragma once

#include <memory>
#include <vector>

#include "service/router.hpp"
#include "service/routes.hpp"

namespace gpukeeper::service::documented {

/// `/api/gpu/config`: the 13 keys of the GPU manager, which are keys of the one configuration. A change is judged as a
/// whole and holds until the next start; keys that it does not know are left out, which the log says.
std::vector<Route> gpu_config_routes(const std::shared_ptr<const Hands>& hands);

}  // namespace gpukeeper::service::documented
