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

  WallTime taken_at{};
  std::string host;
  double speed = 1;  ///< for work on all devices at once
  std::vector<Device> devices;

  bool should_throttle() const { return speed <= 0.5; }
};

ThrottleReport throttle_report(const Snapshot& snapshot);

/// docs/schema/throttle.json describes it. On one line without a line end, or indented for reading.
std::string throttle_report_json(const ThrottleReport& report, bool indented);
std::string throttle_report_schema();

/// Reads it back. Errors: internal for a text that is no such report.
Result<ThrottleReport> parse_throttle_report(std::string_view json);

}  // namespace gpukeeper
