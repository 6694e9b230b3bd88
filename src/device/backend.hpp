#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "device/device.hpp"
#include "device/gpu_process.hpp"
#include "device/reading.hpp"

namespace gpukeeper {

/// What looking at the devices has cost so far: calls into the vendor's library, or files read where there is none.
struct DriverCost {
  std::uint64_t calls = 0;
  std::chrono::nanoseconds time{0};  ///< spent inside them
};

/// Reads the devices of one source. Everything above sees vendors only through this interface.
///
/// Threads: any call may run beside any other, from any thread, except that two reads of one device never overlap.
/// Any call may hang in the driver; the caller then goes on without it and calls nothing for that device until it is
/// back. A backend must therefore hold no lock over a driver call that another device's read needs.
class Backend {
 public:
  virtual ~Backend() = default;

  /// The source's name in outputs: "nvml", "amdgpu". Constant, never empty.
  virtual std::string_view name() const = 0;

  /// Lists the devices present now, each physical device followed by its partitions, ordered by PCI address; empty when
  /// the machine has none. Called again every few seconds and after a device was lost: a backend whose driver was
  /// reloaded or came back recovers here. A device that is known (from PCI) but cannot be read is listed all the same.
  /// Errors: unavailable when the vendor's library or kernel module is not there or does not answer; the message says
  /// what to do.
  virtual Result<std::vector<Device>> list() = 0;

  /// Reads all metrics of one device. What the device lacks is Missing in the Reading, not an error. A sleeping device
  /// is not touched: the answer is a Reading whose attention is asleep.
  /// Errors: not_found when the device has left the bus; unavailable when it cannot be read now (driver mismatch, lost,
  /// needs a reset) with a message that says what to do; internal for any other error of the driver.
  virtual Result<Reading> read(const DeviceId& id) = 0;

  /// The processes on one device, partitions of it included, merged by pid, ordered by pid; empty when there are none.
  /// Errors: as for read, and not_supported where the source cannot know.
  virtual Result<std::vector<GpuProcess>> processes(const DeviceId& id) = 0;

  /// Total cost so far. Only grows.
  virtual DriverCost cost() const = 0;
};

}  // namespace gpukeeper
