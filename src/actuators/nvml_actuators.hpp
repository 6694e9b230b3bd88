#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actuators/actuator.hpp"
#include "actuators/actuator_settings.hpp"
#include "device/device.hpp"

namespace gpukeeper {

/// What NVIDIA's driver lets root change of a GPU, through the library at `library` (empty: the usual one):
///   power_limit    in milliwatts, within the board's range; the driver forgets it when it is unloaded
///   locked_clocks  "0,HIGHEST" in MHz, Volta and later; nobody can ask what is set, so it is always given back
///   fan            a percent for all fans, "auto" for the driver's own curve
/// Source: nvml.h, "Device commands".
///
/// Each call is a session of its own, so that no session is held while nothing is done; it can take as long as the
/// driver takes to start up.
std::vector<std::unique_ptr<Actuator>> nvml_actuators(const Device& device, const ActuatorSettings& settings,
                                                      const std::string& library);

}  // namespace gpukeeper
