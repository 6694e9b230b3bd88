#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "report/report.hpp"
#include "service/http.hpp"

// What the questions for reports and for accounts share.
namespace gpukeeper::service {

/// ?since=&until=, each if wanted; without `since` over the last day. Errors: invalid_argument.
Result<report::Range> report_range(const Request& request, WallTime now);

/// ?utc_offset= of the reader; 0 without. Errors: invalid_argument.
Result<std::chrono::seconds> utc_offset_of(const Request& request);

/// An answer of this moment, as all of these are, which nobody shall keep.
Response report_document(std::string_view type, std::string text);

}  // namespace gpukeeper::service
