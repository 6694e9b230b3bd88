#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/sysfs/pci_bus.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"

namespace gpukeeper {

/// Where the machine's GPUs sit, for telling whether a message of the kernel is about one of them. From the kernel's
/// bookkeeping alone: nothing here wakes a device. One that has left stays known, as its last messages come late.
///
/// Threads: one.
class GpuPlaces {
 public:
  /// Both must outlive it.
  GpuPlaces(const Files& files, const Clock& clock) : bus_(files), files_(files), clock_(clock) {}

  struct Place {
    PciGpu gpu;
    std::vector<PciAddress> ports;  ///< the bridges above it, the root port first
  };
  /// By address. Looked at anew at most every ten seconds.
  const std::vector<Place>& all();

  /// The GPU that a PCI function is, or is a part of (its audio function), or that sits alone below the port that it
  /// is; the port itself when several do; nothing for any other function.
  std::optional<PciAddress> gpu_of(const PciAddress& function);

  /// The only GPU of that kernel driver; nothing when it has none, or several.
  std::optional<PciAddress> only_one_of(std::string_view driver);

 private:
  void look();

  PciBus bus_;
  const Files& files_;
  const Clock& clock_;
  std::optional<MonotonicTime> looked_;
  std::vector<Place> places_;
};

}  // namespace gpukeeper
