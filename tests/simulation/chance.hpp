#pragma once

#include "dice.hpp"
#include "policy/governor_settings.hpp"

namespace gpukeeper::simulation {

/// Settings that pass check(), however odd.
GovernorSettings some_settings(Dice& dice);

}  // namespace gpukeeper::simulation
