#pragma once

#include <memory>

#include "backend/sysfs/sysfs_source.hpp"
#include "device/backend.hpp"

namespace gpukeeper {

/// The Intel GPUs under the kernel's drivers i915 and xe, integrated and discrete, from sysfs and hwmon; processes and
/// the load of single engines from DRM fdinfo. Never fails to be made: a machine without such cards lists none.
///
/// What the kernel tells to no one without opening the device is absent: how much memory a card has. What it tells only
/// from the difference of two readings (power, utilization) is not_yet_read in the first.
std::unique_ptr<Backend> make_intel_backend(const SysfsSource& source);

}  // namespace gpukeeper
