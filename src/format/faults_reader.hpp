#pragma once

#include <string_view>

#include "core/result.hpp"
#include "format/faults_json.hpp"

namespace gpukeeper {

/// Reads back what faults_json() wrote. What is missing or of another type is taken for absent; texts are as they came:
/// make them harmless before a terminal sees them.
/// Errors: invalid_argument for what is no such document. The message follows "the daemon's answer …".
Result<FaultsView> parse_faults(std::string_view json);

}  // namespace gpukeeper
