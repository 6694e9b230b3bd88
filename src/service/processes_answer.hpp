#pragma once

#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// GET /api/v1/processes: who uses the GPUs, as `gpukeeper ps --json` prints it; ?device=, user=, container=, class=,
/// pod=, job= narrow it, sort= orders it, limit= and cursor= cut it into pages, which go by GPU and pid. Command lines
/// are for admins. 400 for what is not understood, 404 for a device that there is not, 503 before the first snapshot.
Response processes_answer(const Request& request, const Snapshot& snapshot);

/// GET /api/v1/why: why fans run and GPUs are slow, as `gpukeeper why --json` prints it; ?device=, topic=. Command
/// lines stand in the evidence for admins only. Errors as above.
Response why_answer(const Request& request, const Snapshot& snapshot);

}  // namespace gpukeeper::service
