#pragma once

#include <chrono>
#include <string>

#include "diagnosis/diagnosis.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::report {

/// `gpukeeper why` as a page that needs nothing else: the answers, and beside each GPU what they rest on, as meters.
/// `utc_offset` is the reader's.
std::string why_html(const Snapshot& snapshot, const DiagnosisReport& report, std::chrono::seconds utc_offset);

}  // namespace gpukeeper::report
