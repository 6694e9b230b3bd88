#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "policy/andon/gpu_alert.hpp"

namespace gpukeeper {

/// The documented form: an object with one key, {"ThermalThrottling":{"device":0,"temp":85,"threshold":80}}.
std::string to_json(const GpuAlert& alert);

/// Reads that form; members may come in any order, others are let pass. Foreign input.
/// Errors: invalid_argument with what is wrong.
Result<GpuAlert> parse_gpu_alert(std::string_view json);

}  // namespace gpukeeper
