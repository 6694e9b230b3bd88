#pragma once

#include <memory>

#include "backend/sysfs/sysfs_source.hpp"
#include "device/backend.hpp"

namespace gpukeeper {

/// Every card that has no backend of its own; see README.md beside this file. Never fails to be made: a machine without
/// such cards lists none.
///
/// A card under NVIDIA's driver is listed here too: that driver gives nothing to the kernel's files, so where NVML
/// serves it, NVML's backend must come first and this entry be dropped (same PCI address).
std::unique_ptr<Backend> make_basic_backend(const SysfsSource& source);

}  // namespace gpukeeper
