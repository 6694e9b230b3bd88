#pragma once

#include <string>

#include "diagnosis/diagnosis.hpp"

namespace gpukeeper {

/// `gpukeeper why --json` (docs/guide.md). Indented.
std::string report_json(const Snapshot& snapshot, const DiagnosisReport& report);

}  // namespace gpukeeper
