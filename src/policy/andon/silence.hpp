#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "telemetry/alert.hpp"

namespace gpukeeper {

/// Which alerts a silence is for: those that fit all of it. `*` stands for any characters.
struct AlertMatcher {
  std::string rule = "*";           ///< the rule's id
  std::string device = "*";         ///< UUID, PCI address, name or index; "machine" for what is about no device
  std::optional<AlertLevel> level;  ///< nothing: any

  friend bool operator==(const AlertMatcher&, const AlertMatcher&) = default;
};

/// Alerts that fit are kept and listed, but not told, and colour no lamp.
struct Silence {
  std::string id;  ///< unique among all silences, over restarts too; empty for one of the configuration
  AlertMatcher matcher;
  WallTime begun{};
  std::optional<WallTime> until;  ///< nothing: as long as it stands in the configuration
  std::string by;                 ///< who asked for it
  std::string comment;

  friend bool operator==(const Silence&, const Silence&) = default;
};

/// Those of the configuration first, then by id.
using SilenceList = std::vector<Silence>;

}  // namespace gpukeeper
