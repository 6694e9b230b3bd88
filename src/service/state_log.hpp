#pragma once

#include <map>
#include <string>

#include "core/log.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// Says in the log what changed from one snapshot to the next: devices that come, go and return, their states, sources
/// that fail and recover. Once a change, not once a tick.
///
/// Threads: one; not the sampler's, which would wait for the log's disk.
class StateLog {
 public:
  explicit StateLog(Log& log) : log_(log) {}

  void look(const Snapshot& snapshot);

 private:
  struct Seen {
    bool available = false;
    State state = State::unavailable;
  };
  void look_at(const DeviceSnapshot& device);
  void look_at(const SourceStatus& source);

  Log& log_;
  std::map<DeviceId, Seen> devices_;
  std::map<std::string, bool> sources_;  // whether it was available
};

}  // namespace gpukeeper::service
