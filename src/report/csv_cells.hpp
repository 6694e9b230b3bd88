#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gpukeeper::report {

/// A name that somebody chose. Where a spreadsheet would take it for a formula (`=`, `+`, `-`, `@` first) it has an
/// apostrophe before it; control characters are "?".
std::string name_cell(std::string_view name);

/// Empty for nothing.
std::string number_cell(const std::optional<double>& value);

}  // namespace gpukeeper::report
