#pragma once

#include <string>

#include "policy/andon/rule_table.hpp"

namespace gpukeeper {

/// The rules of the table as JSON, as they are unless the configuration changes them.
std::string rules_json(bool indented);

/// A rule's section in docs/alerts.md: when it fires, its borders and times, what to do.
std::string rule_section(const Rule& rule);

}  // namespace gpukeeper
