#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "report/accounting.hpp"

namespace gpukeeper::report {

/// gpukeeper.accounting/1 (docs/schema/accounting.json): `gpukeeper account --json` and GET /api/v1/accounting. On one
/// line, or indented; without a line end.
std::string accounting_json(const Accounting& accounting, bool indented);

/// The JSON Schema (2020-12) of that document.
std::string accounting_schema();

/// A line for each row, without one of the total: nothing is added up twice. Names as in a report's CSV.
std::string accounting_csv(const Accounting& accounting);

/// For people: a table, how a GPU was divided, what is not known. Names are harmless for a terminal. `utc_offset` is
/// the reader's.
std::string accounting_text(const Accounting& accounting, std::chrono::seconds utc_offset);

/// By what a GPU is divided that several share (account/sharing.hpp), in sentences.
std::string_view sharing_model();

}  // namespace gpukeeper::report
