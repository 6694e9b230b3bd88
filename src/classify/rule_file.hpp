#pragma once

#include <string_view>
#include <vector>

#include "classify/rule.hpp"
#include "core/result.hpp"

namespace gpukeeper::classify {

/// Reads a rule file (docs/classes.md). `file` stands in messages and in the rules.
/// Errors: invalid_argument "file:line:column: what is wrong, and what would be right".
Result<std::vector<Rule>> parse_rules(std::string_view yaml, std::string_view file);

/// The words that stand in a rule file as keys, for the test of its documentation.
std::vector<std::string_view> rule_file_keys();

}  // namespace gpukeeper::classify
