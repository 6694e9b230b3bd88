#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "events/happening.hpp"
#include "faults/fault_journal.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::events {

/// Finds what happened between one snapshot and the next. The first one tells nothing: it is how all is, not what
/// happened.
///
/// Threads: one.
class SnapshotChanges {
 public:
  /// What is new since the last call: by device in their order, then alerts, then faults. Snapshots between the two may
  /// be left out. `faults`: the journal; never null.
  std::vector<Happening> look(const Snapshot& snapshot, const std::shared_ptr<const FaultList>& faults);

 private:
  struct Known {  // of a device or partition
    State state = State::unavailable;
    bool available = false;
    double speed = 1;
    std::vector<ThrottleCause> causes;
  };
  void look_at_devices(const Snapshot& snapshot, const std::vector<DeviceSnapshot>& devices);
  void look_at(const Snapshot& snapshot, const DeviceSnapshot& device);
  void look_at_alerts(const Snapshot& snapshot);
  void look_at(const Alert& alert, const Snapshot& snapshot);
  void look_at_faults(const std::shared_ptr<const FaultList>& faults, const Snapshot& snapshot);
  void tell(EventType type, WallTime at, std::vector<std::string> devices, std::string payload);

  bool first_ = true;
  std::map<DeviceId, Known> devices_;
  std::map<std::string, Alert> alerts_;  // by id; those that fire
  std::shared_ptr<const FaultList> faults_;
  std::map<std::uint64_t, std::uint64_t> counts_;  // of the journal's records, by id
  std::vector<Happening> found_;
};

}  // namespace gpukeeper::events
