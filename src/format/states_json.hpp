#pragma once

#include <string>

#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// In which state every GPU and partition is, since when, and between which borders: docs/schema/states.json describes
/// it. On one line without a line end.
std::string states_json(const Snapshot& snapshot);

}  // namespace gpukeeper
