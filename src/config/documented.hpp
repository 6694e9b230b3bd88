#pragma once

#include <string_view>

#include "config/mistakes.hpp"
#include "yaml/tree.hpp"

// The names under which the documented GPU resource optimizer is configured, as gpukeeper's own keys. Source: its
// guide, whose file has the sections `optimization`, `services` and `monitoring`.
namespace gpukeeper::config {

/// A configuration file in gpukeeper's keys: the documented sections replaced by what they mean, all else as it is.
/// What is no entry of a documented section becomes a mistake.
yaml::YamlNode in_own_keys(const yaml::YamlNode& root, Mistakes& mistakes);

/// "OPTIMIZATION_INTERVAL" for reclaim.optimization_interval: the documented variable of the environment that says the
/// same as the key; empty when there is none.
std::string_view documented_variable(std::string_view key);

}  // namespace gpukeeper::config
