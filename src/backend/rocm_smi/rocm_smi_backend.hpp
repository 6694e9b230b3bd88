#pragma once

#include <memory>
#include <string>

#include "backend/tool/tool_backend.hpp"
#include "core/result.hpp"
#include "device/backend.hpp"

namespace gpukeeper {

struct RocmSmiOptions {
  ToolOptions tool;                  ///< file: a recorded `rocm-smi --showallinfo --json`
  std::string program = "rocm-smi";  ///< a name to look for, or a path
};

/// The fall-back for AMD GPUs where the kernel's files cannot be read: what `rocm-smi --showallinfo --json` prints, or
/// a recording of it. Errors: as for open_nvidia_smi.
Result<std::unique_ptr<Backend>> open_rocm_smi(RocmSmiOptions options, ToolWorld world);

/// What the end of a `rocm-smi --showallinfo --json` means: the document, or an Error that says what to do.
Result<ToolDocument> understand_rocm_smi(const ProgramOutput& output);

}  // namespace gpukeeper
