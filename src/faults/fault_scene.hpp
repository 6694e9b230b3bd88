#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "faults/fault_record.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Where a fault happened, and who was there.
struct FaultScene {
  DeviceId device;  ///< empty when the whole machine is meant
  std::optional<PciAddress> pci;
  std::string device_name;
  bool simulated = false;
  bool recorded = false;
  std::optional<std::vector<FaultProcess>> processes;  ///< nothing when that is not known

  bool made_up() const { return simulated || recorded; }
};

/// Finds the device that an event speaks of, and the processes that were on it.
///
/// A fault often ends the process that it hits, and a lost device has no list of processes: so those of a moment ago
/// count as well.
class SceneFinder {
 public:
  static constexpr std::chrono::seconds kMoment{10};

  void look(const Snapshot& snapshot);

  /// Of an event that was reported with the snapshot looked at last. A device that is not listed is named by its PCI
  /// address: "PCI-0000:03:00.0".
  FaultScene of(const DeviceEvent& event) const;

 private:
  struct Crowd {  // who was on a device, and who they are
    std::shared_ptr<const std::vector<GpuProcess>> list;
    std::shared_ptr<const ProcessTable> who;
  };
  struct Place {
    std::shared_ptr<const Device> device;
    bool known = false;  // whether `now` is what the driver says
    Crowd now;
    Crowd before;  // those that were there until …
    MonotonicTime until{};
  };

  const Place* find(const DeviceEvent& event) const;
  std::optional<std::vector<FaultProcess>> processes(const Place* place, const DeviceEvent& event) const;

  std::map<DeviceId, Place> places_;
  std::map<DeviceId, DeviceId> parents_;  // of partitions
  std::optional<WallTime> began_;
  MonotonicTime now_{};
};

}  // namespace gpukeeper
