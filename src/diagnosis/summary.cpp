#include "diagnosis/summary.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "diagnosis/words.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper::diagnosis {
namespace {

struct Kind {
  ProcessClass kind;
  std::string_view one;
  std::string_view many;
};

// In the order in which they are told.
constexpr std::array<Kind, 8> kKinds{{
    {ProcessClass::mining, "suspected miner", "suspected miners"},
    {ProcessClass::gaming, "game", "games"},
    {ProcessClass::ml_training, "ML training process", "ML training processes"},
    {ProcessClass::ml_inference, "ML inference process", "ML inference processes"},
    {ProcessClass::ml, "machine-learning process", "machine-learning processes"},
    {ProcessClass::video, "video process", "video processes"},
    {ProcessClass::desktop, "desktop process", "desktop processes"},
    {ProcessClass::unknown, "process of unknown kind", "processes of unknown kind"},
}};

ProcessClass kind_of(const ProcessRow& row) {
  return row.facts == nullptr ? ProcessClass::unknown : row.facts->classification.kind;
}

// Those that work on a device that is not idle, each process once.
std::vector<const ProcessRow*> workers_of(const std::vector<Subject>& subjects) {
  std::vector<const ProcessRow*> result;
  for (const Subject& subject : subjects) {
    if (subject.work == Work::idle) continue;
    for (const ProcessRow* row : working(subject)) {
      const bool known = std::ranges::any_of(result, [&](const ProcessRow* other) {
        return other->process->pid == row->process->pid && same_machine(*other->device->device, *row->device->device);
      });
      if (!known) result.push_back(row);
    }
  }
  return result;
}

std::string kinds_text(const std::vector<const ProcessRow*>& rows) {
  std::vector<std::string> words;
  for (const auto& [kind, one, many] : kKinds) {
    const auto count = std::ranges::count_if(rows, [k = kind](const ProcessRow* row) { return kind_of(*row) == k; });
    if (count > 0) words.push_back(counted(static_cast<std::size_t>(count), one, many));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

enum class Fans { none, still, turning };

Fans fans_of(const std::vector<Subject>& subjects) {
  Fans result = Fans::none;
  for (const Subject& subject : subjects) {
    const Reading& r = subject.reading;
    if (!r.fan && !r.fan_speed) continue;
    const bool turns = r.fan_speed ? r.fan_speed->value() > 0 : r.fan->value() > 0;
    result = std::max(result, turns ? Fans::turning : Fans::still);
  }
  return result;
}

std::string work_sentence(const std::vector<Subject>& subjects) {
  const bool one = subjects.size() == 1;
  const Fans fans = fans_of(subjects);
  const std::string what =
      fans == Fans::turning ? (one ? "GPU fan running" : "GPU fans running") : (one ? "GPU busy" : "GPUs busy");
  const auto workers = workers_of(subjects);
  if (!workers.empty()) return fmt::format("{} because of: {}.", what, kinds_text(workers));
  const bool blind = std::ranges::any_of(subjects, [](const Subject& subject) { return !subject.sees_processes(); });
  const bool busy = std::ranges::any_of(subjects, [](const Subject& subject) { return subject.work >= Work::light; });
  if (busy) {
    return blind ? fmt::format("{} with work whose processes cannot be seen.", what)
                 : fmt::format("{} though no process of that work can be seen.", what);
  }
  const std::string nothing = blind ? "Nothing is seen to work on a GPU" : "No process works on a GPU";
  switch (fans) {
    case Fans::turning:
      return fmt::format("{}. Fans that run do so for warmth, or because their boards never stop them.", nothing);
    case Fans::still: return fmt::format("{}, and no GPU fan is running.", nothing);
    case Fans::none: break;
  }
  return fmt::format("{}.", nothing);
}

// "GPU 2 is too hot": of what matters, the gravest thing of each device.
std::vector<std::string> remarks(const DiagnosisReport& report) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;  // what is so, and of which devices
  for (const DeviceDiagnosis& device : report.devices) {
    const auto worst = std::ranges::max_element(device.answers, {}, [](const Diagnosis& each) {
      return each.brief.empty() ? -1 : static_cast<int>(each.tone);
    });
    if (worst->brief.empty() || (worst->tone < Tone::notice && worst->topic != Topic::availability)) continue;
    const auto same = std::ranges::find(groups, worst->brief, [](const auto& group) { return group.first; });
    if (same == groups.end()) {
      groups.push_back({worst->brief, {device.index}});
    } else {
      same->second.push_back(device.index);
    }
  }
  std::vector<std::string> result;
  for (const auto& [brief, devices] : groups) {
    result.push_back(devices.size() == 1 ? fmt::format("GPU {} is {}", devices.front(), brief)
                                         : fmt::format("GPUs {} are {}", listed(devices), brief));
  }
  return result;
}

}  // namespace

std::string summary_of(const std::vector<Subject>& subjects, const DiagnosisReport& report) {
  std::string text;
  if (report.devices.empty()) return "No GPU was found.";
  if (!subjects.empty()) text = work_sentence(subjects);
  if (const auto words = remarks(report); !words.empty()) {
    if (!text.empty()) text += ' ';
    text += fmt::format("{}.", listed(words));
  }
  return text;
}

std::vector<std::string> miner_warnings(const std::vector<ProcessRow>& rows, WallTime now) {
  std::vector<std::string> result;
  std::vector<const ProcessRow*> told;
  for (const ProcessRow& row : rows) {
    if (kind_of(row) != ProcessClass::mining) continue;
    const bool known = std::ranges::any_of(told, [&](const ProcessRow* other) {
      return other->process->pid == row.process->pid && same_machine(*other->device->device, *row.device->device);
    });
    if (known) continue;
    told.push_back(&row);
    std::vector<std::string> places{row.place};
    places.insert(places.end(), row.also_on.begin(), row.also_on.end());
    const Classification& verdict = row.facts->classification;
    std::string text = fmt::format("Suspected cryptocurrency miner on GPU {}: {}.", listed(places), who_text(row, now));
    if (!verdict.reason.empty()) {
      text += fmt::format(" Rule '{}': {}", harmless(verdict.rule), sentence(harmless(verdict.reason)));
    }
    text += " If nobody here wants it, treat the machine as broken into.";
    result.push_back(std::move(text));
  }
  return result;
}

}  // namespace gpukeeper::diagnosis
