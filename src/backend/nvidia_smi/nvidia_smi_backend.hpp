#pragma once

#include <memory>

#include "backend/tool/tool_backend.hpp"
#include "core/result.hpp"
#include "device/backend.hpp"

namespace gpukeeper {

struct NvidiaSmiOptions {
  ToolOptions tool;                    ///< file: a recorded `nvidia-smi -q -x`
  std::string program = "nvidia-smi";  ///< a name to look for, or a path
};

/// The fall-back where NVML cannot be loaded: reads what `nvidia-smi -q -x` prints, or a recording of it.
/// Errors: unavailable, with what to do, when the program is missing or says that the driver is; for a recording
/// not_found or not_permitted when it cannot be read, and invalid_argument when it is damaged.
Result<std::unique_ptr<Backend>> open_nvidia_smi(NvidiaSmiOptions options, ToolWorld world);

/// What the end of a `nvidia-smi -q -x` means: the document, or an Error that says what to do.
Result<ToolDocument> understand_nvidia_smi(const ProgramOutput& output);

}  // namespace gpukeeper
