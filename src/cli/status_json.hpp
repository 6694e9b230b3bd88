#pragma once

#include <string>

#include "telemetry/snapshot.hpp"

namespace gpukeeper::cli {

/// `gpukeeper status --json`: the snapshot as docs/schema/status.json describes it. On one line without a line end, or
/// indented for reading.
std::string status_json(const Snapshot& snapshot, bool indented);

/// The published schema itself (JSON Schema 2020-12), its metrics taken from the metric table.
std::string status_schema();

}  // namespace gpukeeper::cli
