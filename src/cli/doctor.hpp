#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"
#include "doctor/doctor.hpp"

namespace gpukeeper::cli {

std::string render_doctor(const std::vector<gpukeeper::doctor::Check>& checks, const RenderOptions& options);

/// `gpukeeper doctor`: exit status 0, or 1 when a GPU that is there cannot be read.
Exit doctor(bool json, Context& context);

}  // namespace gpukeeper::cli
