#pragma once

#include "ledger/reality.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What the drivers say in a snapshot, for the ledger. A device that is divided (MIG, XCP) gives nothing itself, its
/// partitions do. One whose heat slows work down to a half takes nothing new.
/// The pids of a simulated or recorded machine are never those of this one, nor those of another pid namespace.
Reality reality_of(const Snapshot& snapshot);

}  // namespace gpukeeper
