#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "core/clock.hpp"
#include "device/device.hpp"
#include "prometheus/histogram.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::prometheus {

/// What gpukeeper counts of itself, beside what a snapshot says.
struct SelfFigures {
  Histogram tick{kFineBuckets};                       ///< how long looks at the GPUs took
  Histogram lag{kFineBuckets};                        ///< how much later than due they began
  std::map<std::string, std::uint64_t> lost_sources;  ///< by source: how often it stopped answering
  std::map<std::string, std::uint64_t> lost_devices;  ///< by source: how often a GPU of it did
  std::map<unsigned, std::uint64_t> answers;          ///< over HTTP, by status
  std::chrono::nanoseconds answering{0};              ///< what these took on the server's thread
};

/// Collects them.
///
/// Threads: any.
class SelfBook {
 public:
  /// A look at the GPUs is over, and took so long. `late`: how much later than due it began; nothing where it was not
  /// due at any time.
  void ticked(const Snapshot& snapshot, std::chrono::nanoseconds took, std::optional<std::chrono::nanoseconds> late);

  /// A request was answered.
  void answered(unsigned status, std::chrono::nanoseconds took);

  SelfFigures read() const;

 private:
  void note_losses(const Snapshot& snapshot);

  mutable std::mutex mutex_;
  SelfFigures figures_;            // guarded by mutex_, as all below
  std::set<std::string> sources_;  // that answered at the latest look
  std::set<DeviceId> devices_;     // that did
};

}  // namespace gpukeeper::prometheus
