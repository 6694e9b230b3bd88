#pragma once

#include <string_view>
#include <vector>

#include "config/effective.hpp"

namespace gpukeeper::config {

/// A JSON Merge Patch (RFC 7396): the keys of a JSON object such as {"temp_throttle": 80, "log": {"level": "debug"}}.
/// null takes back what was set at run time; an object without keys changes nothing. Foreign input: bounded like YAML.
/// Errors: invalid_argument for what is no JSON object, and for keys that there are not, with what was likely meant.
Result<std::vector<Assignment>> assignments_of_json(std::string_view json);

}  // namespace gpukeeper::config
