#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "device/device.hpp"
#include "device/pci_address.hpp"

namespace gpukeeper {

/// What kind of thing happened to a device.
enum class EventKind {
  xid,              ///< NVIDIA's driver reported an error; `code` is its number
  ecc_corrected,    ///< memory errors that were corrected; `count` more of them
  ecc_uncorrected,  ///< memory errors that were not
  row_remap,        ///< memory rows were replaced, or the replacing failed or waits for a reset
  page_retirement,  ///< memory pages were taken out of use
  ras,              ///< AMD's driver reported a hardware error
  engine_reset,     ///< a ring or engine hung and was reset
  gpu_hang,         ///< work on the GPU hung
  gpu_reset,        ///< the whole GPU was reset
  wedged,           ///< the driver gave the device up until it is bound again or the machine restarts
  devcoredump,      ///< the driver left a dump of the device's state
  pcie_error,       ///< errors on the link (AER); `count` more of them
  lost,             ///< gone from the bus, or no longer to be read
  returned,         ///< there again
  driver_reload,    ///< the driver was loaded anew
  driver,           ///< another message of the driver's that an operator should see
};

std::string_view to_string(EventKind kind);

/// Something that happened to a device, as one source reported it. Two sources may report the same.
struct DeviceEvent {
  EventKind kind = EventKind::driver;
  WallTime at{};
  std::optional<DeviceId> id;     ///< the device …
  std::optional<PciAddress> pci;  ///< … or its place, where the source knows no more; neither: the whole machine
  std::uint64_t code = 0;         ///< of an xid
  std::uint64_t count = 1;
  std::string detail;               ///< in the source's own words, on one line
  std::optional<std::int64_t> pid;  ///< the process that the driver blames
  std::string process;              ///< its name
  std::string source;               ///< "nvml", "kernel log", "readings"
  /// The same whenever the same occurrence is reported again by this source, after a restart too; empty when the source
  /// reports each only once.
  std::string key;

  friend bool operator==(const DeviceEvent&, const DeviceEvent&) = default;
};

/// Reports what happened to devices: a driver's queue of events, the kernel's log.
///
/// Threads: take() from one thread at a time, beside any other call.
class EventSource {
 public:
  virtual ~EventSource() = default;

  /// The source's name in outputs. Constant, never empty.
  virtual std::string_view name() const = 0;

  /// What was reported since the last call, oldest first; what was there before the first call too, where the source
  /// keeps it. Does not wait for events.
  /// Errors: not_permitted, not_supported or unavailable, with a message that says what to do.
  virtual Result<std::vector<DeviceEvent>> take_events() = 0;
};

}  // namespace gpukeeper
