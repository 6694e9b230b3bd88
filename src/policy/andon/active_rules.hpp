#pragma once

#include <vector>

#include "policy/andon/scene.hpp"

namespace gpukeeper {

/// The rules as they hold for one device: the table's, with the changes that fit it, and an operator's own. Those that
/// are turned off are left out.
std::vector<ActiveRule> rules_of_device(const AndonSettings& settings, const Device& device, std::uint32_t index);

/// Those about the machine as a whole.
std::vector<ActiveRule> rules_of_machine(const AndonSettings& settings);

/// Whether the settings tell devices apart at all; else one list serves them all.
bool tells_devices_apart(const AndonSettings& settings);

}  // namespace gpukeeper
