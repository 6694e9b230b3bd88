#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "device/backend.hpp"
#include "device/device.hpp"
#include "device/event.hpp"
#include "device/gpu_process.hpp"
#include "device/process_facts.hpp"
#include "device/reading.hpp"
#include "telemetry/alert.hpp"
#include "telemetry/booked.hpp"
#include "telemetry/self_cost.hpp"
#include "telemetry/state.hpp"
#include "telemetry/throttling.hpp"

namespace gpukeeper {

/// One device at one tick.
struct DeviceSnapshot {
  std::uint32_t index = 0;  ///< position in PCI order, for people; of a partition: its position in its device
  std::optional<std::uint32_t> parent_index;                                ///< of a partition: the index of its device
  std::shared_ptr<const Device> device = std::make_shared<const Device>();  ///< never null
  Reading reading;  ///< every metric absent with its reason while the device is not available
  std::optional<WallTime>
      read_at;             ///< when the reading was taken; older than the snapshot while a device rests or is slow
  bool available = false;  ///< whether the reading speaks of the device as it is now
  State state = State::unavailable;  ///< that this reading shows, by itself
  Throttling throttling;             ///< what the governor makes of it and of those before
  Lamp lamp = Lamp::off;
  std::string reason;  ///< a sentence: why it is not available, or why the reading is old; empty when all is well

  /// Ordered by pid, never null; empty too when they cannot be known, and then processes_reason says why.
  std::shared_ptr<const std::vector<GpuProcess>> processes = std::make_shared<const std::vector<GpuProcess>>();
  std::string processes_reason;

  std::vector<DeviceSnapshot> partitions;  ///< MIG instances or XCPs, in the driver's order
};

/// How one source of devices is doing.
struct SourceStatus {
  std::string name;  ///< "nvml"
  bool available = false;
  std::string message;  ///< why it is not available, and what to do; empty when it is
  std::size_t devices = 0;
};

/// How one source of events is doing.
struct EventSourceStatus {
  std::string name;
  bool available = false;
  std::string message;  ///< why it is not available, and what to do; empty when it is
};

/// What gpukeeper itself costs, since it started.
struct SelfCost : ProcessCost {
  DriverCost driver;  ///< over all sources
};

/// Everything known at one tick. Immutable once published; shared by all who read.
struct Snapshot {
  std::uint64_t sequence = 0;  ///< 0 before the first tick, then one more each tick
  WallTime taken_at{};
  bool replayed = false;  ///< out of a recording: taken_at is its time, not today's
  MonotonicTime monotonic{};
  std::string host;
  std::vector<DeviceSnapshot> devices;  ///< physical devices in PCI order; a lost one stays, unavailable
  std::vector<SourceStatus> sources;
  std::vector<DeviceEvent> events;  ///< reported since the snapshot before, by source, each oldest first
  std::vector<EventSourceStatus> event_sources;
  /// Who the processes are; never null. It may be a little older than the lists of processes.
  std::shared_ptr<const ProcessTable> who = std::make_shared<const ProcessTable>();
  std::string who_reason;  ///< a sentence: what is not seen of them and how to grant it; empty when all is seen
  /// What needs a person's attention; never null.
  std::shared_ptr<const AlertList> alerts = std::make_shared<const AlertList>();
  Lamp lamp = Lamp::off;                 ///< the worst of the devices' and of the machine's own alerts
  std::shared_ptr<const Booked> booked;  ///< what is promised of their memory; null where nobody keeps the book
  SelfCost self;
};

/// The worst state of the devices; a sleeping device does not count. Unavailable when no device is left to speak.
State overall_state(const Snapshot& snapshot);

}  // namespace gpukeeper
