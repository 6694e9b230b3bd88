#pragma once

#include <string_view>

#include "backend/tool/document.hpp"
#include "core/result.hpp"

namespace gpukeeper {

/// Reads what `rocm-smi --showallinfo --json` prints (or a part of it, such as `-t -u -P --json`), of ROCm 3 to 7: one
/// object per card, named "card0", and "system". Warnings that rocm-smi prints before the JSON are skipped. GPUs come
/// in the order of their numbers. Pure: no file, no clock.
///
/// What a card does not say, or says in words ("N/A"), is Missing; a number that no GPU can have is Missing::failed.
/// Unknown keys are ignored. Processes are told apart by card only where there is one card: rocm-smi does not say on
/// which card a process runs.
/// Errors: invalid_argument, naming what is wrong and where: no JSON, cut off, not rocm-smi's, larger than 8 MiB,
/// nested deeper than 64.
Result<ToolDocument> parse_rocm_smi(std::string_view text);

}  // namespace gpukeeper
