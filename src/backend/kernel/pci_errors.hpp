#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/kernel/gpu_places.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/event.hpp"

namespace gpukeeper {

/// Errors on the PCIe links of GPUs, from the counters that the kernel keeps of each function and of the ports that
/// lead to one GPU alone (Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats). They are numbers in the kernel's
/// memory (drivers/pci/pcie/aer.c), so reading them wakes no device.
///
/// The first look only notes them; later ones, ten seconds apart, report what they grew by.
class PciErrors final : public EventSource {
 public:
  /// Both must outlive it.
  PciErrors(const Files& files, const Clock& clock) : files_(files), clock_(clock), places_(files, clock) {}

  std::string_view name() const override { return "pcie counters"; }
  /// Errors: not_supported where there are GPUs and the kernel counts for none of them.
  Result<std::vector<DeviceEvent>> take_events() override;

 private:
  using Counters = std::map<std::string, std::uint64_t, std::less<>>;

  bool look(const PciAddress& function, const PciAddress& gpu, std::vector<DeviceEvent>& events);

  const Files& files_;
  const Clock& clock_;
  GpuPlaces places_;
  std::optional<MonotonicTime> looked_;
  bool counted_ = false;
  std::map<std::string, Counters> known_;  // by file
};

/// The rows "RxErr 3" of such a file, without the sum at its end.
std::map<std::string, std::uint64_t, std::less<>> parse_aer_counters(std::string_view text);

}  // namespace gpukeeper
