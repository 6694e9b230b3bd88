#pragma once

#include <string>
#include <vector>

#include "report/report.hpp"

namespace gpukeeper::report {

/// What follows from a report that is complete but for its advice and its unknowns: waste, what hardly is used, what
/// was held back. The gravest first.
std::vector<Advice> advice_on_use(const Report& report);

/// What was not measured, a sentence each: such time is in no sum.
std::vector<std::string> unknowns_of(const Report& report);

}  // namespace gpukeeper::report
