#pragma once

#include <chrono>
#include <string>

#include "report/report.hpp"

namespace gpukeeper::report {

/// The report for people in plain text: by GPU, by user, by service, what stands out, what is not known. Names are
/// harmless for a terminal. `utc_offset` is the reader's.
std::string report_text(const Report& report, std::chrono::seconds utc_offset);

}  // namespace gpukeeper::report
