#pragma once

#include <memory>
#include <string>

#include "actuators/actuator.hpp"
#include "actuators/actuator_settings.hpp"
#include "actuators/kernel_files.hpp"
#include "core/files.hpp"

namespace gpukeeper {

/// A bound for the engine clock of an AMD GPU, in the performance level `manual`: by the highest clock of
/// pp_od_clk_voltage ("s 1 1500", then "c") where it is a range, else by the levels of pp_dpm_sclk that may be used.
/// Only where the level is `auto`: in any other somebody has chosen clocks. Null where the driver has neither, or where
/// the levels are too few to choose from.
///
/// `folder`: of the PCI device. Sources: power_dpm_force_performance_level, pp_od_clk_voltage and pp_dpm_* in
/// Documentation/gpu/amdgpu/thermal.rst of the kernel.
std::unique_ptr<Actuator> amdgpu_clocks(const DeviceId& device, const std::string& folder, Percent lowest,
                                        const Files& files, KernelFiles& writes);

}  // namespace gpukeeper
