#pragma once

#include "faults/fault_record.hpp"
#include "format/json_text.hpp"
#include "telemetry/snapshot.hpp"

// Included by source files only: the library is heavy.

namespace gpukeeper {

/// A fault as it stands in every document: docs/schema/faults.json describes it. The snapshot says what the devices'
/// indices are.
Json fault_object(const FaultRecord& record, const Snapshot& snapshot);

}  // namespace gpukeeper
