#pragma once

#include "format/json_text.hpp"
#include "format/snapshot_json.hpp"
#include "telemetry/snapshot.hpp"

// Included by source files only: the library is heavy.

namespace gpukeeper {

/// A process as it stands in `status --json` and `ps --json`. The members that say who it is are there where somebody
/// asked for that (as ps does), all of them or none. What is null and stands under `missing` is not known; any other
/// null is a fact: the process is in no container.
Json process_json(const Snapshot& snapshot, const DeviceSnapshot& device, const GpuProcess& process,
                  CommandLines command_lines);

}  // namespace gpukeeper
