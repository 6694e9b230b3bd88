#pragma once

#include <chrono>

#include "policy/andon/andon_settings.hpp"
#include "policy/governor_settings.hpp"
#include "telemetry/history_settings.hpp"

namespace gpukeeper {

/// What of an engine may be changed while it runs: Engine::configure.
struct EngineSettings {
  std::chrono::nanoseconds sample_interval = std::chrono::seconds(1);  ///< from tick to tick
  GovernorSettings governor;
  AndonSettings andon;
  HistorySettings history;  ///< its interval is the governor's

  friend bool operator==(const EngineSettings&, const EngineSettings&) = default;
};

}  // namespace gpukeeper
