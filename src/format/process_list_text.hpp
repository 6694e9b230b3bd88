#pragma once

#include <string>
#include <vector>

#include "format/process_list.hpp"
#include "format/snapshot_json.hpp"

namespace gpukeeper {

/// `gpukeeper ps --json` (docs/guide.md): when, where, and an object a row: the device's index, UUID, name and label,
/// then the process as in `status --json`. On one line without a line end, or indented.
std::string processes_json(const Snapshot& snapshot, const std::vector<ProcessRow>& rows, bool indented,
                           CommandLines command_lines = CommandLines::given);

/// The head line of `ps --csv`, and a line a row; absent values are empty fields. Control characters in names and
/// command lines become "?", as they could do harm where the text is shown.
std::string processes_csv_header();
std::string processes_csv(const std::vector<ProcessRow>& rows);

}  // namespace gpukeeper
