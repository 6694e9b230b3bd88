#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/log.hpp"
#include "engine/engine_trouble.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What the log calls a device: "GPU 0 (NVIDIA H200, GPU-a)".
std::string name_of(const DeviceSnapshot& device);

/// Says in the log what changed from one snapshot to the next: devices that come, go and return, sources that fail and
/// recover. Once a change, not once a tick. Their states are the governor's to tell (GovernorLog).
///
/// Threads: one; not the sampler's, which would wait for the log's disk.
class StateLog {
 public:
  explicit StateLog(Log& log) : log_(log) {}

  /// For who debugs, the readings of each snapshot, too: in a line.
  void look(const Snapshot& snapshot);

  /// Says what failed in gpukeeper itself since it looked last, and when that is over.
  void look(const EngineTrouble& trouble);

 private:
  void tell_metrics(const Snapshot& snapshot);
  void look_at(const DeviceSnapshot& device);
  void look_at(const SourceStatus& source);

  Log& log_;
  std::map<DeviceId, bool> devices_;     // whether it was available
  std::map<std::string, bool> sources_;  // whether it was available
  EngineTrouble trouble_;
  std::uint64_t told_ = 0;  // the snapshot whose readings were told last
};

}  // namespace gpukeeper::service
