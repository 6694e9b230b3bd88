#pragma once

#include <memory>
#include <vector>

#include "actuators/actuator.hpp"
#include "actuators/actuator_settings.hpp"
#include "actuators/kernel_files.hpp"
#include "core/files.hpp"
#include "device/device.hpp"

namespace gpukeeper {

/// What amdgpu, i915 and xe let be changed through the kernel's files:
///   power_limit    hwmon's powerN_cap (amdgpu), powerN_max (xe, i915), in microwatts
///   fan            hwmon's pwm1 with pwm1_enable: 1 is by hand, 2 by the driver's own curve (amdgpu)
///   locked_clocks  gt_max_freq_mhz (i915), tileN/gtN/freq0/max_freq (xe), amdgpu_clocks
/// Sources: Documentation/gpu/amdgpu/thermal.rst, Documentation/ABI/testing/sysfs-driver-intel-{i915,xe}-hwmon and
/// sysfs-driver-intel-xe of the kernel.
///
/// `files` and `writes` must outlive the actuators. Looks into folders only; values are read by the actuators.
std::vector<std::unique_ptr<Actuator>> sysfs_actuators(const Device& device, const ActuatorSettings& settings,
                                                       const Files& files, KernelFiles& writes);

}  // namespace gpukeeper
