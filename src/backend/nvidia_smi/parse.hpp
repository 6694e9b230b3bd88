#pragma once

#include <string_view>

#include "backend/tool/document.hpp"
#include "core/result.hpp"

namespace gpukeeper {

/// Reads what `nvidia-smi -q -x` prints, in every schema from v2 (driver 285, 2011) to v13 (2026), from Linux and
/// Windows. GPUs come in the document's order. Pure: no file, no clock.
///
/// What a document does not say, or says in words ("N/A", "Insufficient Permissions"), is Missing with the reason that
/// the words give; a number that no GPU can have is Missing::failed. Unknown elements are ignored.
/// Errors: invalid_argument, naming what is wrong and where: not XML, cut off, not nvidia-smi's, larger than 8 MiB,
/// nested deeper than 64, a document type with declarations of its own.
Result<ToolDocument> parse_nvidia_smi(std::string_view text);

}  // namespace gpukeeper
