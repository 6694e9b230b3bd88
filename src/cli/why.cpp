#include "cli/why.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/notes.hpp"
#include "cli/report_pdf.hpp"
#include "cli/status_table.hpp"
#include "core/display_text.hpp"
#include "diagnosis/report_json.hpp"
#include "format/columns.hpp"
#include "report/why_html.hpp"

namespace gpukeeper::cli {
namespace {

Ink ink_of(Tone tone) {
  switch (tone) {
    case Tone::good: return Ink::good;
    case Tone::plain: return Ink::strong;
    case Tone::notice: return Ink::warn;
    case Tone::bad: return Ink::bad;
  }
  return Ink::plain;
}

// What answers rest on and needs two looks. Also for --json: without it the sentences would be other ones.
bool lacks_evidence(const Snapshot& snapshot) {
  const auto unread = [](const auto& metric) { return !metric && metric.error() == Missing::not_yet_read; };
  return lacks_process_rates(snapshot) || std::ranges::any_of(snapshot.devices, [&](const DeviceSnapshot& d) {
           const Reading& r = d.reading;
           return d.available && (unread(r.utilization) || unread(r.utilization_render) || unread(r.power));
         });
}

// A number keeps its unit beside it: the blank between them is no place to break a line.
constexpr std::string_view kTied = "\u00a0";

std::string tied(std::string text) {
  constexpr std::string_view kUnits[] = {"°C", "C", "W", "%", "MHz", "GiB", "MiB", "rpm", "s", "min", "h", "d"};
  for (auto at = text.find(' '); at != std::string::npos; at = text.find(' ', at + 1)) {
    if (at == 0 || text[at - 1] < '0' || text[at - 1] > '9') continue;
    const std::string_view rest = std::string_view(text).substr(at + 1);
    const auto begins = [&](std::string_view unit) {
      return rest.starts_with(unit) && (rest.size() == unit.size() ||
                                        std::string_view(" ,.;:)").find(rest[unit.size()]) != std::string_view::npos);
    };
    if (std::ranges::any_of(kUnits, begins)) text.replace(at, 1, kTied);
  }
  return text;
}

std::string untied(std::string text) {
  for (auto at = text.find(kTied); at != std::string::npos; at = text.find(kTied)) text.replace(at, kTied.size(), " ");
  return text;
}

// The lines of a page, each wrapped to its width below where its text begins.
class Page {
 public:
  explicit Page(const RenderOptions& options) : options_(options) {}

  void blank() { lines_ += '\n'; }
  void line(const std::vector<Span>& spans) { lines_ += paint(spans, options_) + '\n'; }

  /// The text behind `lead`; its further lines begin below its first.
  void say(std::string_view lead, Ink lead_ink, const std::string& text, Ink ink) {
    const std::size_t indent = display_width(lead);
    const std::size_t room = options_.width > indent + 20 ? options_.width - indent : 20;
    std::string before(lead);
    for (std::string& part : wrap(tied(harmless(spelled(text, options_.utf8), options_.utf8)), room)) {
      line({{before, lead_ink}, {untied(std::move(part)), ink}});
      before.assign(indent, ' ');
    }
  }

  std::string take() { return std::move(lines_); }

 private:
  const RenderOptions& options_;
  std::string lines_;
};

void add_title(Page& page, const Snapshot& snapshot, const RenderOptions& options) {
  std::vector<Span> line{{"gpukeeper", Ink::strong}};
  if (const auto machine = machine_words(snapshot, options); !machine.empty()) {
    line.push_back({(options.utf8 ? " · " : " - ") + machine});
  }
  const std::string time = local_time(snapshot.taken_at, options.utc_offset);
  std::size_t used = 0;
  for (const Span& span : line) used += display_width(span.text);
  if (used + 2 + time.size() <= options.width) {
    line.push_back({std::string(options.width - used - time.size(), ' ')});
    line.push_back({time, Ink::faint});
  }
  page.line(line);
}

void add_answer(Page& page, const Diagnosis& answer, bool utf8) {
  page.line({{"  "}, {std::string(question(answer.topic)), Ink::faint}});
  page.say("    ", Ink::plain, answer.verdict, ink_of(answer.tone));
  const std::string_view dot = utf8 ? "    · " : "    - ";
  for (const std::string& line : answer.evidence) page.say(dot, Ink::faint, line, Ink::plain);
  if (!answer.other_causes.empty()) {
    page.say(dot, Ink::faint, fmt::format("It could also be: {}.", fmt::join(answer.other_causes, "; ")), Ink::faint);
  }
  for (const std::string& line : answer.advice) page.say(utf8 ? "    → " : "    > ", Ink::good, line, Ink::plain);
}

void add_verdicts(Page& page, const DeviceDiagnosis& device) {
  for (const Diagnosis& answer : device.answers) {
    const std::string_view name = answer.topic == Topic::availability ? "" : to_string(answer.topic);
    page.say(fmt::format("  {:<7}", name), Ink::faint, answer.verdict, ink_of(answer.tone));
  }
}

}  // namespace

std::string render_why(const Snapshot& snapshot, const DiagnosisReport& report, const WhyOptions& options,
                       const RenderOptions& render) {
  Page page(render);
  add_title(page, snapshot, render);
  page.blank();
  page.say("", Ink::plain, report.summary, Ink::strong);
  for (const std::string& warning : report.warnings) page.say("! ", Ink::bad, warning, Ink::bad);
  const bool in_full = report.devices.size() <= kInFull || options.topic;
  for (const DeviceDiagnosis& device : report.devices) {
    page.blank();
    const std::string_view label = device.simulated ? "  simulated" : device.recorded ? "  recorded" : "";
    page.line({{fmt::format("GPU {}  ", device.index), Ink::strong},
               {harmless(device.name, render.utf8), Ink::strong},
               {std::string(label), Ink::warn}});
    if (!in_full) {
      add_verdicts(page, device);
      continue;
    }
    for (const Diagnosis& answer : device.answers) add_answer(page, answer, render.utf8);
  }
  if (!in_full) {
    page.blank();
    page.say("", Ink::plain, "gpukeeper why --device 0 tells more of one of them.", Ink::faint);
  }
  std::string text = page.take();
  const auto notes = source_notes(snapshot, render);
  if (!notes.empty()) text += '\n';
  for (const std::string& line : notes) text += line + '\n';
  return text;
}

Exit why(const WhyOptions& options, Context& context) {
  const auto feed = context.open_feed();
  if (!feed) return tl::make_unexpected(feed.error());
  const auto snapshot = select_devices(*settled(**feed, context.clock, lacks_evidence), options.devices);
  if (!snapshot) return tl::make_unexpected(snapshot.error());
  const DiagnosisReport report = diagnose(*snapshot, options.topic);
  if (options.json) return print(context, report_json(*snapshot, report, true) + "\n");
  const RenderOptions render = render_options(context, **feed, *snapshot);
  if (!options.html.empty()) {
    return write_page_to(options.html, report::why_html(*snapshot, report, render.utc_offset), context);
  }
  if (snapshot->devices.empty()) return print(context, render_status(*snapshot, (*feed)->findings(), render));
  return print(context, render_why(*snapshot, report, options, render));
}

}  // namespace gpukeeper::cli
