#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "sinks/sink_settings.hpp"

namespace gpukeeper {

/// How one sink does.
struct SinkStatus {
  std::string name;
  SinkKind kind = SinkKind::log;
  std::optional<WallTime> last_success;
  std::optional<WallTime> last_failure;
  std::string error;          ///< of the last attempt; empty when it succeeded, and before the first
  std::uint64_t sent = 0;     ///< notices that arrived
  std::size_t waiting = 0;    ///< that did not yet
  std::uint64_t dropped = 0;  ///< that never will: too many waited, too long, or the receiver refused them
  std::string spool;          ///< what is wrong with what is kept on the disk; empty when all is well
};

/// What GET /api/v1/sinks answers (docs/sinks.md): {"sinks":[{"name":"ops",…}]}.
std::string sinks_json(const std::vector<SinkStatus>& sinks);

}  // namespace gpukeeper
