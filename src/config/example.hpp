#pragma once

#include <string>

namespace gpukeeper::config {

/// A configuration file of all keys, each explained and at its default, and each commented out: what packages install,
/// so that a later version's defaults hold where nothing was chosen. Without the first '#' of its lines below the head
/// it is a configuration, too, one that changes nothing.
std::string example();

}  // namespace gpukeeper::config
