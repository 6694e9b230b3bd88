#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "engine/engine_trouble.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What tells whether all is well.
struct HealthFacts {
  std::string version;
  MonotonicTime started;                     ///< of this program
  std::chrono::nanoseconds stalled_after{};  ///< a snapshot older than this is one of a sampler that stands still
  MonotonicTime paced_since{};               ///< since when that holds: a snapshot may be of a slower pace before it
};

enum class Health {
  starting,  ///< no snapshot yet: the first look at a machine may take seconds
  healthy,
  degraded,  ///< it samples, but a source or a device is not available, a part of gpukeeper itself fails, or something
             ///< else does not work
  paused,    ///< monitoring is off: the GPUs are looked at when somebody asks
  stalled,   ///< the sampler has made no snapshot for too long: what is served is old
};

Health health(const Snapshot& snapshot, const HealthFacts& facts, MonotonicTime now, bool monitoring = true,
              const EngineTrouble& trouble = {});

/// GET /health. 503 when stalled, else 200: whoever restarts what is not well would gain nothing by restarting for a
/// GPU that is lost.
/// `others`: what else does not work, a sentence each: with any of them a healthy service is degraded.
Response health_answer(const Snapshot& snapshot, const HealthFacts& facts, MonotonicTime now, bool monitoring = true,
                       const EngineTrouble& trouble = {}, const std::vector<std::string>& others = {});

}  // namespace gpukeeper::service
