#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "faults/fault_journal.hpp"
#include "service/health.hpp"
#include "service/history_answer.hpp"
#include "service/router.hpp"
#include "service/snapshot_answer.hpp"
#include "service/throttle_answer.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What the routes answer from.
struct Sights {
  std::function<std::shared_ptr<const Snapshot>()> snapshot;  ///< the latest; never null
  std::function<std::shared_ptr<const FaultList>()> faults;   ///< the journal; never null
  std::function<std::string()> faults_kept_in;                ///< as Engine::faults_kept_in
  ThrottleAnswer::Post post;                                  ///< commands; false when none can be taken
  HealthFacts health;
  std::shared_ptr<const Clock> clock;  ///< of the snapshots
  std::string instance;                ///< tells one start of the program from another
  uid_t own_uid = 0;                   ///< the user that it runs as
  Past past = {};
};

/// Everything that `gpukeeper serve` answers: a row each. A new endpoint is a new row.
std::vector<Route> routes(Sights sights);

}  // namespace gpukeeper::service
