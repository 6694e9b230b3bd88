#include "cli/notes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "faults/fault_journal.hpp"
#include "policy/andon/andon.hpp"

namespace gpukeeper::cli {

std::string_view origin(const Device& device) {
  return device.simulated ? "simulated" : device.recorded ? "recorded" : "";
}

std::string machine_words(const Snapshot& snapshot, const RenderOptions& options) {
  if (options.from.empty()) return harmless(snapshot.host, options.utf8);
  const std::string place = "at " + harmless(options.from, options.utf8);
  return snapshot.host.empty() ? place : harmless(snapshot.host, options.utf8) + " " + place;
}

std::string_view advice_words(double speed_multiplier) {
  if (speed_multiplier <= 0) return "work should pause";
  if (speed_multiplier <= 0.5) return "work should go at half speed";
  return speed_multiplier < 1 ? "work should go at 80 % of its speed" : "work may go at full speed";
}

std::vector<std::string> wrapped(const Span& prefix, const Span& text, const RenderOptions& options) {
  return wrapped(prefix, prefix, text, options);
}

// Both prefixes have one width.
std::vector<std::string> wrapped(const Span& first, const Span& next, const Span& text, const RenderOptions& options) {
  std::vector<std::string> result;
  const auto indent = display_width(first.text);
  const std::size_t room = options.width > indent + 10 ? options.width - indent : 10;
  for (std::string& line : wrap(harmless(text.text, options.utf8), room)) {
    result.push_back(paint({result.empty() ? first : next, {std::move(line), text.ink}}, options));
  }
  return result;
}

std::vector<std::string> device_notes(const Snapshot& snapshot, const DeviceSentence& sentence,
                                      const RenderOptions& options) {
  struct Group {
    const DeviceSnapshot* first;
    std::string sentence;
    std::string devices;
  };
  std::vector<Group> groups;
  for (const DeviceSnapshot& d : snapshot.devices) {
    const std::string text = sentence(d);
    if (text.empty()) continue;
    const auto same = std::ranges::find_if(groups, [&](const Group& group) {
      return group.sentence == text && origin(*group.first->device) == origin(*d.device);
    });
    if (same == groups.end()) {
      groups.push_back({&d, text, fmt::format("GPU {}", d.index)});
    } else {
      same->devices += fmt::format(", {}", d.index);
    }
  }
  std::vector<std::string> result;
  for (const Group& group : groups) {
    const auto label = origin(*group.first->device);
    const Span prefix{label.empty() ? "" : fmt::format("{}: ", label), Ink::warn};
    for (std::string& line :
         wrapped(prefix, {fmt::format("{}: {}", group.devices, group.sentence), Ink::faint}, options)) {
      result.push_back(std::move(line));
    }
  }
  return result;
}

std::vector<std::string> source_notes(const Snapshot& snapshot, const RenderOptions& options) {
  std::vector<std::string> result;
  for (const SourceStatus& source : snapshot.sources) {
    if (source.message.empty()) continue;
    const Span text{fmt::format("{}: {}", source.name, source.message), source.available ? Ink::faint : Ink::warn};
    for (std::string& line : wrapped({}, text, options)) result.push_back(std::move(line));
  }
  for (const EventSourceStatus& source : snapshot.event_sources) {
    const bool ours = source.name == kFaultJournal || source.name == kAlerts;
    if (!ours || source.message.empty()) continue;  // `faults` tells of the others
    for (std::string& line : wrapped({}, {source.message, Ink::warn}, options)) result.push_back(std::move(line));
  }
  return result;
}

namespace {

bool is_firing(const Alert& a, AlertLevel level) {
  return a.phase == AlertPhase::firing && !a.silenced && a.level == level;
}

}  // namespace

std::size_t firing(const Snapshot& snapshot, AlertLevel level) {
  const auto count = std::ranges::count_if(*snapshot.alerts, [&](const Alert& a) { return is_firing(a, level); });
  return static_cast<std::size_t>(count);
}

std::vector<std::string> alert_notes(const Snapshot& snapshot, const RenderOptions& options) {
  const std::size_t critical = firing(snapshot, AlertLevel::critical);
  const std::size_t warnings = firing(snapshot, AlertLevel::warning);
  if (critical + warnings == 0) return {};
  const AlertLevel level = critical > 0 ? AlertLevel::critical : AlertLevel::warning;
  const auto worst = std::ranges::find_if(*snapshot.alerts, [&](const Alert& a) { return is_firing(a, level); });
  std::string counts;
  if (critical > 0) counts = fmt::format("{} critical alert{}", critical, critical == 1 ? "" : "s");
  if (warnings > 0) {
    counts += fmt::format("{}{} warning{}", counts.empty() ? "" : ", ", warnings, warnings == 1 ? "" : "s");
  }
  counts += ": ";
  const Span indent{std::string(counts.size(), ' ')};
  return wrapped({counts, critical > 0 ? Ink::bad : Ink::warn}, indent,
                 {fmt::format("{} (gpukeeper alerts says what to do)", worst->message), Ink::plain}, options);
}

}  // namespace gpukeeper::cli
