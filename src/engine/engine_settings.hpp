#pragma once

#include <chrono>

#include "core/units.hpp"
#include "policy/andon/andon_settings.hpp"
#include "policy/governor_settings.hpp"
#include "telemetry/history_settings.hpp"

namespace gpukeeper {

/// What bounds the leases that are made through the documented interface of whole megabytes.
struct LeaseLimits {
  Bytes memory_limit = from_mib(6144);   ///< most that is handed out of one GPU
  Bytes memory_reserve = from_mib(512);  ///< of each GPU, kept free for the system

  friend bool operator==(const LeaseLimits&, const LeaseLimits&) = default;
};

/// What of an engine may be changed while it runs: Engine::configure.
struct EngineSettings {
  std::chrono::nanoseconds sample_interval = std::chrono::seconds(1);  ///< from tick to tick
  GovernorSettings governor;
  AndonSettings andon;
  HistorySettings history;  ///< its interval is the governor's
  LeaseLimits leases;

  friend bool operator==(const EngineSettings&, const EngineSettings&) = default;
};

}  // namespace gpukeeper
