#pragma once

#include <string_view>

#include "format/json_text.hpp"

namespace gpukeeper {

/// Somebody else's document; null where it is none, or has an object with far more members than ours have: such an
/// object finds each by comparing it with all others, and of a million that takes hours.
Json parse_bounded(std::string_view json);

}  // namespace gpukeeper
