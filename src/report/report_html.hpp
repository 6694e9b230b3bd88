#pragma once

#include <chrono>
#include <string>

#include "report/report.hpp"

namespace gpukeeper::report {

/// The report as a page that needs nothing else (page.hpp). `utc_offset` is the reader's.
std::string report_html(const Report& report, std::chrono::seconds utc_offset);

}  // namespace gpukeeper::report
