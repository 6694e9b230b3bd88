#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "service/health.hpp"
#include "service/router.hpp"
#include "service/snapshot_answer.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What the routes answer from.
struct Sights {
  std::function<std::shared_ptr<const Snapshot>()> snapshot;  ///< the latest; never null
  HealthFacts health;
  std::shared_ptr<const Clock> clock;
  std::string instance;  ///< tells one start of the program from another
  uid_t own_uid = 0;     ///< the user that it runs as
};

/// Everything that `gpukeeper serve` answers: a row each. A new endpoint is a new row.
std::vector<Route> routes(Sights sights);

}  // namespace gpukeeper::service
