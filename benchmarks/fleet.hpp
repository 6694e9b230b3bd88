#pragma once

#include <cstddef>

#include "telemetry/snapshot.hpp"

namespace gpukeeper::bench {

/// Snapshots of devices that tell everything and are busy, as in a machine that is used. Every tenth swings through all
/// states, each at another point of its way, so that alerts begin, change and end.
class Fleet {
 public:
  explicit Fleet(std::size_t size);

  /// The snapshot of the next second, to be governed and looked at.
  Snapshot& next();

 private:
  Snapshot snapshot_;
};

}  // namespace gpukeeper::bench
