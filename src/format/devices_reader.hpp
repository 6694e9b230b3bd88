#pragma once

#include <string_view>

#include "core/result.hpp"
#include "format/connections.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What a document of devices_json() was made of: of the snapshot what does not change of its devices, and nothing
/// else.
struct DevicesView {
  Snapshot snapshot;
  ConnectionTable ways;
};

/// Errors: invalid_argument for what is no such document; the message completes a sentence: "is no ...".
Result<DevicesView> parse_devices(std::string_view json);

}  // namespace gpukeeper
