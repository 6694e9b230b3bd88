#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "policy/governor_settings.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Whether a process on this device belongs to us: it works under a lease. Asked on the sampler's thread.
using IsOurs = std::function<bool(const DeviceSnapshot& device, std::int64_t pid)>;

/// Says who uses the device that is not ours and counts: "pid 4711 (game) uses it: gaming"; nothing when nobody does.
/// Of several, the lowest pid. The processes of the device must be known.
std::optional<std::string> foreign_application(const DeviceSnapshot& device, const ProcessTable& who,
                                               const YieldSettings& settings, const IsOurs& is_ours);

}  // namespace gpukeeper
