#include "diagnosis/subject.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "diagnosis/words.hpp"
#include "format/human.hpp"

namespace gpukeeper::diagnosis {
namespace {

constexpr double kIdle = 5;   // percent; below it a desktop's or a monitor's own share
constexpr double kBusy = 25;  // percent
// Of the power limit. Boards idle at 5 to 20 % of it; above 30 % something works, though nobody says how much.
constexpr double kWorkingPower = 0.30;
constexpr double kRestingPower = 0.15;
constexpr std::size_t kLongestName = 40;

std::optional<double> load_of(const Reading& r) {
  if (r.utilization) return r.utilization->value();
  std::optional<double> busiest;
  for (const auto& engine : {r.utilization_render, r.utilization_compute, r.utilization_copy, r.utilization_video}) {
    if (engine) busiest = std::max(busiest.value_or(0), engine->value());
  }
  return busiest;
}

Work work_of(const Reading& r, const std::optional<double>& load) {
  if (load) return *load < kIdle ? Work::idle : *load < kBusy ? Work::light : Work::busy;
  if (!r.power || !r.power_limit || r.power_limit->value() <= 0) return Work::unknown;
  const double share = r.power->value() / r.power_limit->value();
  return share >= kWorkingPower ? Work::busy : share < kRestingPower ? Work::idle : Work::unknown;
}

// The larger, the more likely it is the one that works. A process whose utilization is not told may be it too.
double weight(const ProcessRow& row) {
  const GpuProcess& p = *row.process;
  if (p.utilization) return 1000 * p.utilization->value();
  const double memory = p.memory ? static_cast<double>(p.memory->value() >> 20) / (1 << 20) : 0;  // below 1 up to 1 TiB
  return (p.type.compute ? 1 : 0) + memory;
}

}  // namespace

Subject::Subject(const Snapshot& whole, const std::vector<ProcessRow>& all, const DeviceSnapshot& asked)
    : snapshot(whole), device(asked), reading(asked.reading) {
  load = load_of(reading);
  work = work_of(reading, load);
  for (const ProcessRow& row : all) {
    if (row.device == &device) workers.push_back(row);
  }
  std::ranges::stable_sort(workers, std::ranges::greater(), weight);
}

std::string load_text(const Subject& subject) {
  if (subject.load) return fmt::format("{} busy", text(Percent(*subject.load)));
  if (!subject.reading.power) return "at work";
  if (!subject.reading.power_limit) return fmt::format("at work ({})", text(*subject.reading.power));
  return fmt::format("at work ({} of {})", text(*subject.reading.power), text(*subject.reading.power_limit));
}

std::string name_text(const ProcessRow& row) {
  if (row.process->name.empty()) return "a process without a readable name";
  return fit(harmless(row.process->name), kLongestName);
}

std::string who_text(const ProcessRow& row, WallTime now) {
  std::vector<std::string> known{fmt::format("PID {}", row.process->pid)};
  const auto add = [&known](std::string words) {
    if (!words.empty()) known.push_back(fit(harmless(words), kLongestName));
  };
  if (row.facts != nullptr) {
    const ProcessFacts& facts = *row.facts;
    const ProcessClass kind = facts.classification.kind;
    add(kind == ProcessClass::mining ? "suspected miner" : std::string(class_text(kind)));
    if (facts.user) add(fmt::format("user {}", *facts.user));
    if (facts.place) add(place_text(*facts.place));
    if (facts.started) add(fmt::format("running for {}", age_text(now - *facts.started)));
  }
  return fmt::format("{} ({})", name_text(row), fmt::join(known, ", "));
}

bool is_the_worker(const Subject& subject) {
  if (subject.workers.empty()) return false;
  constexpr double kMostOfIt = 0.6;
  const ProcessRow& first = subject.workers.front();
  if (const auto& share = first.process->utilization) return share->value() >= kMostOfIt * subject.load.value_or(100);
  if (subject.workers.size() == 1) return true;
  // Nobody tells shares: the only one that computes is it, beside those that draw.
  const auto computing = std::ranges::count_if(
      subject.workers, [](const ProcessRow& row) { return row.process->type.compute || row.process->type.mps; });
  return computing == 1 && first.process->type.compute;
}

std::vector<const ProcessRow*> working(const Subject& subject) {
  std::vector<const ProcessRow*> result;
  for (const ProcessRow& row : subject.workers) {
    if (!row.process->utilization || row.process->utilization->value() >= 0.5) result.push_back(&row);
  }
  return result;
}

}  // namespace gpukeeper::diagnosis
