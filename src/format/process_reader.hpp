#pragma once

#include "device/gpu_process.hpp"
#include "format/json_text.hpp"

// Included by source files only: the library is heavy.

namespace gpukeeper {

/// Reads a process as process_json() writes it. Who it is stands in its `facts`, where the document says so; a command
/// line that was left out is not_permitted. A share is brought between 0 and 100.
GpuProcess process_from(const Json& json);

}  // namespace gpukeeper
