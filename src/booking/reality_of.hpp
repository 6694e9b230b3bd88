#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ledger/reality.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What a snapshot does not say of a process: from whom it descends, and under which lease it says it runs.
struct Descent {
  std::vector<std::int64_t> forebears;  ///< its parent, its parent's parent, …; empty where it is not known
  LeaseId lease{};                      ///< GPUKEEPER_LEASE, of a process whose user may name that lease; 0 for none
};
using DescentOf = std::function<Descent(const GpuProcess&)>;

/// What the drivers say in a snapshot, for the ledger. A device that is divided (MIG, XCP) gives nothing itself, its
/// partitions do. One whose heat slows work down to a half takes nothing new.
/// `descent` is asked about processes of this machine only: the pids of a simulated or recorded one say nothing here.
Reality reality_of(const Snapshot& snapshot, const DescentOf& descent = {});

}  // namespace gpukeeper
