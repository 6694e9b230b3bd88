#pragma once

#include <string>

namespace gpukeeper::config {

/// The JSON Schema of a configuration file, as docs/schema/config.json has it, with a line end.
std::string schema();

/// The page of all keys, as docs/configuration.md has it.
std::string page();

}  // namespace gpukeeper::config
