#pragma once

#include <string>

#include "report/report.hpp"

namespace gpukeeper::report {

/// gpukeeper.report/1 (docs/schema/report.json): `gpukeeper report --json` and GET /api/v1/report. On one line, or
/// indented; without a line end.
std::string report_json(const Report& report, bool indented);

/// The JSON Schema (2020-12) of that document.
std::string report_schema();

/// A line for each GPU, user, service, container, pod, job and lease: who, and what it used. Cells that a spreadsheet
/// would take for a formula (`=`, `+`, `-`, `@` first) have an apostrophe before them; control characters are "?".
/// What was not measured is an empty cell.
std::string report_csv(const Report& report);

}  // namespace gpukeeper::report
