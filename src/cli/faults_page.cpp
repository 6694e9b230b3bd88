#include "cli/faults_page.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "cli/notes.hpp"
#include "cli/table.hpp"
#include "core/display_text.hpp"

namespace gpukeeper::cli {
namespace {

constexpr std::size_t kLines = 20;      // of the table, unless all are wanted
constexpr std::size_t kExplained = 3;   // likewise
constexpr std::size_t kContainer = 12;  // of a container's id, as its own tools shorten it

using Record = std::shared_ptr<const FaultRecord>;

std::string_view origin(const FaultRecord& record) {
  return record.simulated ? "simulated" : record.recorded ? "recorded" : "";
}

Ink ink(Severity severity) {
  switch (severity) {
    case Severity::info: return Ink::faint;
    case Severity::warning: return Ink::plain;
    case Severity::error: return Ink::warn;
    case Severity::critical: return Ink::bad;
  }
  return Ink::plain;
}

std::string plural(std::uint64_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

class Page {
 public:
  Page(const Snapshot& snapshot, const RenderOptions& options) : snapshot_(snapshot), options_(options) {}

  void title(const std::vector<Record>& faults) {
    std::map<Severity, std::uint64_t, std::greater<>> counts;
    std::uint64_t sum = 0;
    for (const Record& fault : faults) {
      counts[fault->severity] += fault->count;
      sum += fault->count;
    }
    const std::string dot = options_.utf8 ? " · " : " - ";
    std::string text = dot + (sum == 0 ? "no faults" : plural(sum, "fault"));
    for (const auto& [severity, count] : counts) {
      text += fmt::format("{}{} {}", text.find(':') == std::string::npos ? ": " : ", ", count, to_string(severity));
    }
    const std::string machine = machine_words(snapshot_, options_);
    line({{"gpukeeper", Ink::strong}, {machine.empty() ? "" : dot + machine}, {text}});
    line({});
  }

  void table(const std::vector<Record>& faults, std::size_t most) {
    using enum Column::Align;
    Table table({{.header = "LAST"},
                 {.header = "GPU"},
                 {.header = "ORIGIN", .only_if_filled = true},
                 {.header = "SEVERITY"},
                 {.header = "TIMES", .align = right, .only_if_filled = true},
                 {.header = "WHAT", .shrinks_to = 24},
                 {.header = "WHO WAS THERE", .priority = 10, .shrinks_to = 12, .only_if_filled = true}});
    for (std::size_t i = 0; i < std::min(most, faults.size()); ++i) {
      const FaultRecord& r = *faults[i];
      table.add_row({{local_time(r.last, options_.utc_offset)},
                     {device(r)},
                     {std::string(origin(r)), Ink::warn},
                     {std::string(to_string(r.severity)), ink(r.severity)},
                     {r.count == 1 ? "" : fmt::format("{}", r.count)},
                     {harmless(r.title, options_.utf8)},
                     {people(r), Ink::faint}});
    }
    for (std::string& row : table.render(options_)) text_ += row + "\n";
    if (faults.size() > most) {
      line({{fmt::format("{} more: gpukeeper faults --all", faults.size() - most), Ink::faint}});
    }
  }

  /// What the fault is, what to do, and what its source said.
  void explain(const FaultRecord& r) {
    line({});
    std::vector<Span> head{
        {harmless(r.title, options_.utf8), r.severity == Severity::critical ? Ink::bad : Ink::strong}};
    if (const auto label = origin(r); !label.empty()) head.push_back({fmt::format("  {}", label), Ink::warn});
    head.push_back({fmt::format("  {}{}", where(r), when(r)), Ink::faint});
    line(head);
    sentence("", r.explanation, Ink::plain);
    sentence("To do: ", r.action, Ink::plain);
    if (!r.detail.empty()) sentence("Said: ", r.detail, Ink::faint);
    if (const auto there = people(r); !there.empty()) sentence("There: ", there, Ink::faint);
  }

  /// The fault as it happens.
  void news(const FaultRecord& r) {
    std::vector<Span> head{{local_time(r.last, options_.utc_offset), Ink::faint},
                           {fmt::format("  {:<8}  ", to_string(r.severity)), ink(r.severity)},
                           {where(r), Ink::strong}};
    if (const auto label = origin(r); !label.empty()) head.push_back({fmt::format("  {}", label), Ink::warn});
    if (r.count > 1) head.push_back({fmt::format("  {} times", r.count), Ink::faint});
    head.push_back({"  " + harmless(r.title, options_.utf8), ink(r.severity)});  // may be cut off
    line(head);
    if (const auto there = people(r); !there.empty()) sentence("There: ", there, Ink::faint);
    if (r.severity >= Severity::error) sentence("To do: ", r.action, Ink::plain);
  }

  void sentence(std::string_view label, std::string_view text, Ink ink, std::size_t indent = 2) {
    const std::size_t room = options_.width > indent + 20 ? options_.width - indent : 20;
    for (std::string& each : wrap(fmt::format("{}{}", label, harmless(text, options_.utf8)), room)) {
      line({{std::string(indent, ' ')}, {std::move(each), ink}});
    }
  }

  void line(const std::vector<Span>& spans) { text_ += paint(spans, options_) + "\n"; }

  std::string text() && { return std::move(text_); }

 private:
  std::string device(const FaultRecord& r) const {
    if (r.device.text.empty()) return "all";
    const auto found =
        std::ranges::find(snapshot_.devices, r.device, [](const DeviceSnapshot& d) { return d.device->id; });
    if (found != snapshot_.devices.end()) return fmt::format("{}", found->index);
    return r.pci ? r.pci->to_string() : harmless(r.device.text, options_.utf8);  // it is not listed now
  }

  std::string where(const FaultRecord& r) const {
    return r.device.text.empty() ? "the whole machine" : "GPU " + device(r);
  }

  std::string when(const FaultRecord& r) const {
    const std::string ago = age_text(snapshot_.taken_at - r.last) + " ago";
    return r.count == 1 ? fmt::format(", {}", ago) : fmt::format(", {} times, the last {}", r.count, ago);
  }

  // "python3 (4242, alice, in c0ffee000000, blamed)": by the driver.
  std::string people(const FaultRecord& r) const {
    if (!r.processes) return "";
    std::string result;
    for (const FaultProcess& p : *r.processes) {
      if (!result.empty()) result += ", ";
      result += p.name.empty() ? "?" : p.name;
      std::vector<std::string> facts;
      if (p.pid > 0) facts.push_back(fmt::format("{}", p.pid));
      if (p.user) facts.push_back(*p.user);
      if (p.container) facts.push_back("in " + p.container->substr(0, kContainer));
      if (p.blamed) facts.emplace_back("blamed");
      if (!facts.empty()) result += fmt::format(" ({})", fmt::join(facts, ", "));
    }
    return harmless(result, options_.utf8);
  }

  const Snapshot& snapshot_;
  const RenderOptions& options_;
  std::string text_;
};

// One of each sort, the worst first and among equals the newest.
std::vector<Record> worth_explaining(const std::vector<Record>& faults, std::size_t most) {
  std::vector<Record> order = faults;
  std::ranges::stable_sort(order, std::greater<>(), [](const Record& r) { return r->severity; });
  std::vector<Record> result;
  std::set<std::string> titles;
  for (const Record& fault : order) {
    if (result.size() < most && titles.insert(fault->title).second) result.push_back(fault);
  }
  return result;
}

}  // namespace

std::string render_faults(const FaultsView& view, const Snapshot& snapshot, bool all, const RenderOptions& options) {
  Page page(snapshot, options);
  page.title(view.faults);
  if (view.faults.empty()) {
    page.line({{"Nothing was found.", Ink::plain}});
  } else {
    page.table(view.faults, all ? view.faults.size() : kLines);
    for (const Record& fault : worth_explaining(view.faults, all ? view.faults.size() : kExplained)) {
      page.explain(*fault);
    }
  }
  std::vector<std::string> notes;
  if (!view.journal_note.empty()) notes.push_back(view.journal_note);
  for (const EventSourceStatus& source : snapshot.event_sources) {
    if (!source.message.empty()) notes.push_back(fmt::format("{}: {}", source.name, source.message));
  }
  if (!notes.empty()) page.line({});
  for (const std::string& note : notes) page.sentence("", note, Ink::warn, 0);
  return std::move(page).text();
}

std::string render_fault(const FaultRecord& fault, const Snapshot& snapshot, const RenderOptions& options) {
  Page page(snapshot, options);
  page.news(fault);
  return std::move(page).text();
}

}  // namespace gpukeeper::cli
