#pragma once

#include <string>
#include <utility>
#include <vector>

#include "device/device.hpp"

namespace gpukeeper::cli {

/// One GPU of the machine, as far as its vendor's runtime must be told of it.
struct VisibleDevice {
  std::string id;  ///< DeviceId
  Vendor vendor = Vendor::other;
  std::string pci_address;  ///< empty where it is not known
  bool booked = false;
};

/// How a program's environment is to change.
struct EnvironmentChange {
  std::vector<std::pair<std::string, std::string>> set;
  std::vector<std::string> unset;
  friend bool operator==(const EnvironmentChange&, const EnvironmentChange&) = default;
};

/// What makes a program's runtimes see the booked GPUs alone, of each vendor of whom one is booked; the GPUs of other
/// vendors are left as they are. `devices`: all of the machine, partitions too, in the order of their indices.
///
///   NVIDIA  CUDA_VISIBLE_DEVICES takes UUIDs, of GPUs and of MIG instances (CUDA Programming Guide, "CUDA Environment
///           Variables"). Of several MIG instances a program uses the first only (MIG User Guide).
///   AMD     ROCR_VISIBLE_DEVICES takes GPU- and the 16 digits of the card's unique id (ROCm, "GPU isolation
///           techniques"), else the position among AMD's. What chooses among those once more, HIP_VISIBLE_DEVICES and
///           GPU_DEVICE_ORDINAL, is taken out; and CUDA_VISIBLE_DEVICES, which HIP obeys too, where no NVIDIA GPU is
///           booked.
///   Intel   ZE_AFFINITY_MASK takes positions only, which are those by PCI address with ZE_ENABLE_PCI_ID_DEVICE_ORDER
///           (Level Zero, core programming guide, "Environment Variables").
EnvironmentChange visible(const std::vector<VisibleDevice>& devices);

}  // namespace gpukeeper::cli
