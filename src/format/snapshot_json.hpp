#pragma once

#include <string>

#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// `gpukeeper status --json`: the snapshot as docs/schema/status.json describes it. On one line without a line end, or
/// indented for reading.
std::string snapshot_json(const Snapshot& snapshot, bool indented);

/// The published schema itself (JSON Schema 2020-12), its metrics taken from the metric table.
std::string snapshot_schema();

}  // namespace gpukeeper
