#pragma once

#include <memory>
#include <string>

#include "faults/fault_journal.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// GET /api/v1/faults: the fault journal as `gpukeeper faults --json` prints it. `kept_in`: as Engine::faults_kept_in.
///
/// Query: device, severity, kind (several with commas), since, limit, each as the command takes it.
/// 400 for any other and for what is not understood; 404 for a device that there is not; 503 before the first snapshot.
Response faults_answer(const Request& request, const FaultList& faults, const std::string& kept_in,
                       const Snapshot& snapshot);

}  // namespace gpukeeper::service
