#pragma once

#include <string>

#include "diagnosis/diagnosis.hpp"

namespace gpukeeper {

/// `gpukeeper why --json` (docs/schema/why.json). On one line without a line end, or indented.
std::string report_json(const Snapshot& snapshot, const DiagnosisReport& report, bool indented);

}  // namespace gpukeeper
