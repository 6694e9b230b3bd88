#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "device/pci_address.hpp"

namespace gpukeeper {

/// A graphics or accelerator function on the PCI bus.
struct PciGpu {
  PciAddress address;
  std::string folder;  ///< "/sys/bus/pci/devices/0000:01:00.0"
  std::uint16_t vendor = 0;
  std::uint16_t device = 0;
  std::optional<std::string> driver;  ///< kernel driver bound to it, empty for none; nothing when it cannot be told
};

/// Finds GPUs on the PCI bus, from the kernel's bookkeeping alone: nothing of it wakes a device.
///
/// Vendor and class of a function never change while it is there, and a big machine has hundreds of functions, so they
/// are read once each.
/// Threads: every member may be called from any thread.
class PciBus {
 public:
  explicit PciBus(const Files& files) : files_(files) {}

  /// The GPUs present now, of one vendor where it is given, by address. Empty where there is no sysfs.
  std::vector<PciGpu> gpus(std::optional<std::uint16_t> vendor = {});

 private:
  struct Function {
    bool gpu = false;
    std::uint16_t vendor = 0;
    std::uint16_t device = 0;
  };
  std::optional<Function> identify(const std::string& folder) const;
  std::optional<std::string> driver_of(const std::string& folder) const;

  const Files& files_;
  std::mutex mutex_;
  std::map<std::string, Function> known_;  // guarded by mutex_; by the name of the folder
};

}  // namespace gpukeeper
