#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/sysfs/device_names.hpp"
#include "backend/sysfs/pci_bus.hpp"
#include "core/files.hpp"
#include "device/device.hpp"

namespace gpukeeper::nvml {

/// A graphics function of NVIDIA's on the PCI bus, as the kernel knows it.
struct PciFunction {
  PciAddress address;
  std::string folder;  ///< "/sys/bus/pci/devices/0000:01:00.0"
  std::uint16_t device = 0;
  bool driven = false;   ///< bound to the nvidia driver: opening that wakes it
  bool managed = false;  ///< allowed to suspend itself at run time
};

/// Finds NVIDIA's graphics functions and tells about them without touching a device: all of this is the kernel's and
/// the driver's bookkeeping.
/// Threads: one at a time.
class PciFunctions {
 public:
  explicit PciFunctions(const Files& files) : files_(files), bus_(files), names_(files) {}

  /// Those bound to the nvidia driver or to none, in order; others (nouveau, vfio-pci) belong to someone else.
  std::vector<PciFunction> scan();

  /// Who the function is: name and UUID from `/proc/driver/nvidia/gpus` where the driver knows it, else from PCI.
  Device describe(const PciFunction& function);

  /// What PCI and the kernel add to a device that the library told about: NUMA node and CPUs near it, ids.
  void add_facts(const std::string& folder, Device& device) const;

  /// Version of the loaded kernel module; empty when there is none.
  std::string module_version() const;

 private:
  const Files& files_;
  PciBus bus_;
  DeviceNames names_;
};

}  // namespace gpukeeper::nvml
