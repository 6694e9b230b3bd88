#pragma once

#include <memory>

#include "backend/sysfs/sysfs_source.hpp"
#include "device/backend.hpp"

namespace gpukeeper {

/// The AMD GPUs under the kernel driver amdgpu: boards, accelerators and APUs, from sysfs, hwmon, gpu_metrics, the
/// compute driver's topology and DRM fdinfo. Never fails to be made: a machine without such cards lists none.
///
/// A device is called "AMD-" and its unique id where it has one, else "PCI-" and its address. A GPU that the compute
/// driver shows while there is no card for it (in some containers) is listed with what is known. On a partitioned GPU
/// (CPX, DPX …) the partitions follow their device; only the device has sensors.
std::unique_ptr<Backend> make_amdgpu_backend(const SysfsSource& source);

}  // namespace gpukeeper
