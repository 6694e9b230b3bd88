#pragma once

#include <span>
#include <string>

#include "config/difference.hpp"
#include "config/effective.hpp"

namespace gpukeeper::config {

/// Every key, its value and where that came from, as GET /api/v1/config answers and `config show --json` prints:
/// {schema, file, keys: [{key, value, unit, origin, place, change}]}.
std::string report(const Effective& effective, const std::string& file);

/// What a change came to, as PATCH /api/v1/config answers: {schema, changed: [{key, from, to, unit, change}], saved}.
std::string report(std::span<const Difference> differences, bool saved);

}  // namespace gpukeeper::config
