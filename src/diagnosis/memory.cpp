#include <algorithm>

#include <fmt/format.h>

#include "diagnosis/answers.hpp"
#include "diagnosis/words.hpp"

namespace gpukeeper::diagnosis {
namespace {

constexpr std::size_t kNamed = 3;
constexpr Bytes kWorthSaying = 128_MiB;  // below it the driver's own bookkeeping is no news

void judge(Diagnosis& diagnosis, const Reading& r, const Thresholds& borders) {
  const Percent share = *memory_percent(r);
  const std::string use = fmt::format("{} of {} are in use", text(*r.memory_used), text(*r.memory_total));
  if (share >= borders.memory_critical) {
    diagnosis.tone = Tone::notice;
    diagnosis.brief = "nearly out of memory";
    diagnosis.verdict = fmt::format("There is hardly room: {}.", use);
  } else if (share >= borders.memory_normal) {
    diagnosis.verdict = fmt::format("There is little room: {}.", use);
  } else {
    diagnosis.tone = Tone::good;
    diagnosis.verdict = fmt::format("There is room: {}.", use);
  }
  if (r.memory_free) diagnosis.verdict += fmt::format(" {} are free.", text(*r.memory_free));
}

void add_holders(Diagnosis& diagnosis, const Subject& subject) {
  if (!subject.sees_processes()) {
    diagnosis.evidence.push_back(
        sentence(fmt::format("its processes are not known: {}", subject.device.processes_reason)));
    return;
  }
  std::vector<ProcessRow> holders = subject.workers;
  sort_processes(holders, ProcessOrder::memory, false);
  Bytes rest(0);
  std::size_t at = 0;
  for (const ProcessRow& row : holders) {
    if (!row.process->memory || row.process->memory->value() == 0) continue;
    if (at++ < kNamed) {
      diagnosis.evidence.push_back(
          fmt::format("{} holds {}.", who_text(row, subject.snapshot.taken_at), text(*row.process->memory)));
    } else {
      rest = rest + *row.process->memory;
    }
  }
  if (at > kNamed) {
    diagnosis.evidence.push_back(fmt::format("{} more {} {}{}.", at - kNamed, at - kNamed == 1 ? "holds" : "hold",
                                             text(rest), at - kNamed == 1 ? "" : " together"));
  }
  const auto nobody = unattributed_memory(subject.device);
  if (nobody && *nobody >= kWorthSaying) {
    diagnosis.evidence.push_back(fmt::format(
        "{} belong to no process that can be seen: to the driver itself, or to processes of another container.",
        text(*nobody)));
  }
}

}  // namespace

Diagnosis explain_memory(const Subject& subject) {
  const Reading& r = subject.reading;
  Diagnosis diagnosis;
  diagnosis.topic = Topic::memory;
  if (!memory_percent(r)) {
    const Missing reason = !r.memory_total  ? r.memory_total.error()
                           : !r.memory_used ? r.memory_used.error()
                                            : Missing::failed;
    diagnosis.verdict = fmt::format("How much of its memory is in use is not known: {}.", describe(reason));
  } else {
    judge(diagnosis, r, subject.device.throttling.thresholds);
  }
  add_holders(diagnosis, subject);
  if (r.memory_reserved && r.memory_reserved->value() > 0) {
    diagnosis.evidence.push_back(fmt::format("The driver keeps {} more for itself.", text(*r.memory_reserved)));
  }
  if (r.memory_unified && *r.memory_unified) {
    diagnosis.evidence.emplace_back(
        "Beside it the GPU uses the machine's main memory, which it shares with the processor.");
  }
  return diagnosis;
}

}  // namespace gpukeeper::diagnosis
