#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/kernel/gpu_places.hpp"
#include "backend/kernel/kmsg.hpp"
#include "backend/kernel/messages.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/event.hpp"

namespace gpukeeper {

/// What the kernel's log says of GPUs, from the oldest record that the kernel still holds: XIDs, hangs, resets, devices
/// given up, hardware errors, PCIe errors, drivers loaded.
///
/// A line counts when the kernel wrote it (no program can pretend to) and a GPU's driver or the PCI core speaks of a
/// GPU. The same message again within a second is one event with its count: XID 13 writes a line for every unit of the
/// GPU. Errors of the PCIe link that happen while we look are left to PciErrors where the kernel counts them.
///
/// A call reads at most kMostRecords records, so that a flooded log costs what it must at the next calls.
class KernelLog final : public EventSource {
 public:
  static constexpr int kMostRecords = 2000;

  /// `files` and `clock` must outlive it.
  KernelLog(std::unique_ptr<KmsgReader> reader, const Files& files, const Clock& clock);

  std::string_view name() const override { return "kernel log"; }
  Result<std::vector<DeviceEvent>> take_events() override;

 private:
  void take(const std::string& text);
  void take(const KmsgRecord& record);
  void take_lost(const KmsgRecord& record);
  bool place(KernelMessage& message);
  bool is_counted_elsewhere(const KernelMessage& message, const KmsgRecord& record);
  bool repeats(const DeviceEvent& event, const KernelMessage& message);
  void add(KernelMessage message, const KmsgRecord& record);
  void let_go();
  std::string key(const KmsgRecord& record, std::string_view what) const;
  WallTime wall_of(const KmsgRecord& record) const;

  const std::unique_ptr<KmsgReader> reader_;
  const Files& files_;
  const Clock& clock_;
  const std::chrono::nanoseconds started_;  // since boot
  GpuPlaces places_;
  std::string boot_id_;
  bool lost_ = false;  // records, since the last one read
  std::optional<std::uint64_t> last_sequence_;
  std::vector<DeviceEvent> events_;  // of this call
  // The last event, kept back from its call's answer while a line that names its process may follow.
  std::optional<DeviceEvent> awaiting_;
};

}  // namespace gpukeeper
