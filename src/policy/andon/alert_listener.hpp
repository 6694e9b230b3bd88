#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "telemetry/alert.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Something to tell about an alert.
struct AlertChange {
  enum class Kind {
    fired,
    escalated,  ///< a warning that has become critical
    repeated,   ///< it lasts
    resolved,
  };
  Kind kind = Kind::fired;
  Alert alert;              ///< as it is now
  std::string origin = {};  ///< empty where it is about a living device; else "simulated" or "recorded"

  friend bool operator==(const AlertChange&, const AlertChange&) = default;
};

std::string_view to_string(AlertChange::Kind kind);

/// Whether the alert is about a device that is none of this machine's: "simulated" or "recorded", else empty. One about
/// no device that the snapshot lists is as all the devices are.
std::string origin_of(const Alert& alert, const Snapshot& snapshot);

/// Is told what is new about alerts: what writes it to a log, or sends it to people.
///
/// A silenced alert is not told, nor is an acknowledged one repeated; what was told is told again when it resolves.
class AlertListener {
 public:
  virtual ~AlertListener() = default;

  /// What is new at one look, never empty; alerts of a device stand together. Called on the sampler's thread: it must
  /// not wait for anything.
  virtual void alerts_changed(const std::vector<AlertChange>& changes) = 0;
};

}  // namespace gpukeeper
