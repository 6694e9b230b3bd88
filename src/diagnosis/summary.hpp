#pragma once

#include <string>
#include <vector>

#include "diagnosis/diagnosis.hpp"
#include "diagnosis/subject.hpp"

namespace gpukeeper::diagnosis {

/// All devices in a few sentences: what makes the fans run, what is remarkable, which devices cannot be asked.
std::string summary_of(const std::vector<Subject>& subjects, const DiagnosisReport& report);

/// A sentence of security for each suspected miner, with the rule that matched.
std::vector<std::string> miner_warnings(const std::vector<ProcessRow>& rows, WallTime now);

}  // namespace gpukeeper::diagnosis
