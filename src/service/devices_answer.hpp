#pragma once

#include "core/files.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// GET /api/v1/devices?device=: what every GPU is, and how they are connected, as `gpukeeper devices --json` prints it.
/// `files` are this machine's: where the kernel hangs the devices is asked of them.
Response devices_answer(const Request& request, const Snapshot& snapshot, const Files& files);

/// GET /api/v1/devices/{device}: one of them, by index, UUID or PCI address, in the same document.
Response device_answer(const Request& request, const Snapshot& snapshot, const Files& files);

/// GET /api/v1/states?device=: in which state every GPU is, and since when.
Response states_answer(const Request& request, const Snapshot& snapshot);

}  // namespace gpukeeper::service
