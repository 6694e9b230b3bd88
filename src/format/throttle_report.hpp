#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What `gpukeeper throttle` tells, wherever it comes from: a snapshot of our own, or the daemon's answer. Texts are as
/// they came: make them harmless before a terminal sees them.
struct ThrottleReport {
  struct Request {
    std::string cause;
    double speed = 1;
    std::string reason;
    WallTime since{};
    std::optional<WallTime> until;
  };
  struct Device {
    std::string index;  ///< "0"; "0:1" is a partition
    std::string uuid;
    std::string name;
    bool simulated = false;
    bool recorded = false;
    bool available = false;
    std::string reason;  ///< why it is not, or why its reading is old; empty when all is well
    std::string state;   ///< the governed one
    WallTime state_since{};
    double speed = 1;
    std::vector<Request> requests;  ///< strictest first
  };
  /// What gpukeeper itself has changed of a device, or could not (docs/actuators.md). Values are spelled out: "350 W".
  struct Change {
    std::string uuid;
    std::string kind;   ///< "power_limit"
    std::string place;  ///< where it is changed; of a freeze, what stands still
    std::string found;  ///< empty when nothing is held, as the next four
    std::string set;
    std::string effective;  ///< what is so in truth, as the driver told last; empty when it does not tell
    std::string reason;
    std::optional<WallTime> since;
    std::string problem;  ///< why it is not as it should be; empty when all is well
  };

  WallTime taken_at{};
  std::string host;
  double speed = 1;  ///< for work on all devices at once
  std::vector<Device> devices;
  std::vector<Change> changes;  ///< of a running daemon; of a device that has gone, too

  bool should_throttle() const { return speed <= 0.5; }
};

/// Without changes: a snapshot knows of none.
ThrottleReport throttle_report(const Snapshot& snapshot);

/// docs/schema/throttle.json describes it. On one line without a line end, or indented for reading.
std::string throttle_report_json(const ThrottleReport& report, bool indented);
std::string throttle_report_schema();

/// Reads it back. Errors: internal for a text that is no such report.
Result<ThrottleReport> parse_throttle_report(std::string_view json);

}  // namespace gpukeeper
