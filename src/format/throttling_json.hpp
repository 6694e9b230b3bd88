#pragma once

#include "format/json_text.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What the governor advises for one device of this snapshot. A request's end is told as a date.
Json throttling_json(const Snapshot& snapshot, const Throttling& throttling);

}  // namespace gpukeeper
