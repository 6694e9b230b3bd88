#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/clock.hpp"

namespace gpukeeper {

/// How a place does that readings are taken to beyond this machine: a database, a server of metrics.
struct ExportStatus {
  std::string name;                 ///< "database"
  bool up = false;                  ///< whether the latest attempt was well
  std::uint64_t sent = 0;           ///< rows or samples that arrived
  std::uint64_t waiting = 0;        ///< ticks or requests that did not yet
  std::uint64_t waiting_bytes = 0;  ///< of memory that they take
  std::uint64_t dropped = 0;        ///< ticks or requests that never will
  std::uint64_t refused = 0;        ///< rows or samples that were sent, and that the receiver did not take
  std::uint64_t failures = 0;       ///< attempts that were in vain
  std::optional<WallTime> last_success;
  std::string error;  ///< of the latest attempt; empty when it was well
};

}  // namespace gpukeeper
