#pragma once

#include <string_view>

#include "core/result.hpp"
#include "gpukeeper/gpu_alert.hpp"

namespace gpukeeper {

/// Reads what to_json() of gpukeeper/gpu_alert.hpp writes; members may come in any order, others are let pass. Foreign
/// input.
/// Errors: invalid_argument with what is wrong.
Result<GpuAlert> parse_gpu_alert(std::string_view json);

}  // namespace gpukeeper
