#include <fmt/format.h>

#include "diagnosis/answers.hpp"
#include "diagnosis/words.hpp"

namespace gpukeeper::diagnosis {

Diagnosis explain_busy(const Subject& subject) {
  Diagnosis diagnosis;
  diagnosis.topic = Topic::busy;
  Cause cause = cause_of_work(subject);
  diagnosis.verdict = std::move(cause.alone);
  diagnosis.evidence = std::move(cause.evidence);
  diagnosis.advice = std::move(cause.advice);
  if (subject.work == Work::idle) {
    diagnosis.tone = Tone::good;
  } else {
    diagnosis.other_causes = std::move(cause.others);
  }
  std::vector<std::string> elsewhere;
  for (const ProcessRow& row : subject.workers) {
    if (row.also_on.empty()) continue;
    elsewhere.push_back(
        fmt::format("{} (PID {}) works on GPU {} too", name_text(row), row.process->pid, listed(row.also_on)));
  }
  if (!elsewhere.empty() && elsewhere.size() <= 3) diagnosis.evidence.push_back(fmt::format("{}.", listed(elsewhere)));
  return diagnosis;
}

}  // namespace gpukeeper::diagnosis
