#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

#include "backend/nvml/abi.hpp"
#include "core/clock.hpp"
#include "device/device.hpp"
#include "device/event.hpp"

namespace gpukeeper::nvml {

/// The event of a device that the driver told; of a MIG instance where it names one. NVML tells an XID's number and
/// nothing else: neither process nor time (nvml.h, nvmlEventData_t).
DeviceEvent xid_event(const abi::EventData& data, const Device& device, WallTime seen);

/// What the driver reported, from the thread that asks it to the one that wants to know: list() asks, as it may hang
/// in the driver, and whoever takes the events never does. Sessions come and go meanwhile.
///
/// Where nobody takes them the oldest give way.
/// Threads: every member from any thread.
class EventQueue {
 public:
  static constexpr std::size_t kMost = 256;

  void add(DeviceEvent event);
  /// All since the last call, oldest first.
  std::vector<DeviceEvent> take();

 private:
  std::mutex mutex_;
  std::deque<DeviceEvent> events_;  // guarded by mutex_
};

}  // namespace gpukeeper::nvml
