#pragma once

#include <string_view>

#include "core/result.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Reads back what snapshot_json() wrote, so that what a daemon sees is shown as what this process sees itself.
///
/// What the document does not hold stays as it is by itself: the events, the pids of leases, what a process calls
/// itself in the kernel. Its time does not go on: `monotonic` is zero, and `until` of a request counts from there. A
/// member that is missing, of another type or beyond its bounds is taken for absent, so that daemons of other releases
/// are understood. Texts are as they came: make them harmless before a terminal sees them.
///
/// Errors: invalid_argument for what is no such document, and for one of another schema or with more devices,
/// processes or alerts than any machine has. The message follows "the daemon's answer …".
Result<Snapshot> parse_snapshot(std::string_view json);

/// The same of an event that a daemon tells: the snapshot is its `payload`.
Result<Snapshot> parse_snapshot_event(std::string_view json);

}  // namespace gpukeeper
