#include "cli/reclaim_page.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "cli/document.hpp"
#include "core/display_text.hpp"
#include "ledger/lease.hpp"

namespace gpukeeper::cli {
namespace {

using Line = std::vector<Span>;

constexpr std::size_t kNarrowest = 24;

std::string size_in(const Json& object, std::string_view name) {
  const auto bytes = count_in(object, name);
  return bytes ? mib(Bytes(*bytes)) : "an unknown amount";
}

std::string duration_text(double seconds) {
  if (seconds >= 7200) return fmt::format("{:.0f} h", seconds / 3600);
  if (seconds >= 120) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.3g} s", seconds);
}

class Page {
 public:
  explicit Page(const RenderOptions& options) : options_(options) {}

  void line(const Line& spans) { text_ += paint(spans, options_) + "\n"; }
  void gap() { text_ += "\n"; }

  // A sentence over as many lines as it takes.
  void sentence(std::string_view text, std::size_t indent, Ink ink = Ink::plain) {
    const std::size_t width = std::max(kNarrowest, options_.width > indent ? options_.width - indent : 0);
    for (const std::string& part : wrap(harmless(text, options_.utf8), width)) {
      line({{std::string(indent, ' ') + part, ink}});
    }
  }
  std::string take() { return std::move(text_); }

 private:
  const RenderOptions& options_;
  std::string text_;
};

std::string gpu_text(const Json& object, std::string_view index_name, std::string_view id_name) {
  const auto index = count_in(object, index_name);
  return index ? fmt::format("GPU {}", *index) : harmless(text_in(object, id_name));
}

// "lease 7 of chat", "process 9 (ollama)".
std::string who_text(const Json& object) {
  const std::string lease = text_in(object, "lease");
  const std::string name = text_in(object, "name");
  const auto pid = count_in(object, "pid");
  std::string text;
  if (!lease.empty()) text = fmt::format("lease {} of {}", harmless(lease), harmless(text_in(object, "service")));
  if (pid && (lease.empty() || !name.empty())) {
    text += fmt::format("{}process {}{}", text.empty() ? "" : ", ", *pid,
                        name.empty() ? "" : " (" + harmless(fit(name, 40)) + ")");
  }
  return text;
}

std::string step_sentence(const Json& step) {
  const std::string kind = text_in(step, "kind");
  const std::string who = who_text(step);
  const std::string size = size_in(step, "bytes");
  const std::string from = gpu_text(step, "from_index", "from");
  if (kind == "wait") return fmt::format("wait for {} of {}: it is over, and on its way back from {}", size, who, from);
  if (kind == "ask")
    return fmt::format("ask {} for the {} of {} that it uses beyond what it is guaranteed", who, size, from);
  if (kind == "move")
    return fmt::format("move {} with {} from {} to {}", who, size, from, gpu_text(step, "to_index", "to"));
  if (kind == "end") return fmt::format("end {}, which has {} of {}", who, size, from);
  return fmt::format("stop {}, which has {} of {} without a lease", who, size, from);
}

// GPU indices by id, as the report names devices by id in its holders.
std::map<std::string, std::string> gpus_of(const Json& report) {
  std::map<std::string, std::string> names;
  for (const Json& device : list_in(report, "devices")) {
    names[text_in(device, "id")] = gpu_text(device, "index", "id");
  }
  return names;
}

void add_device(Page& page, const Json& device) {
  const auto total = count_in(device, "total_bytes");
  const auto after = count_in(device, "used_after_bytes");
  std::string text =
      fmt::format("{}  {} of {} used, now {}", gpu_text(device, "index", "id"), size_in(device, "used_before_bytes"),
                  size_in(device, "total_bytes"), size_in(device, "used_after_bytes"));
  if (total && after && *total > 0) {
    text += fmt::format(" ({:.0f} %)", 100.0 * static_cast<double>(*after) / static_cast<double>(*total));
  }
  const auto wanted = count_in(device, "wanted_bytes").value_or(0);
  const auto still = count_in(device, "still_wanted_bytes").value_or(0);
  if (wanted > 0) text += fmt::format("; {} were wanted back", mib(Bytes(wanted)));
  if (still > 0) text += fmt::format(", {} still are", mib(Bytes(still)));
  page.line({{text, still > 0 ? Ink::warn : Ink::plain}});
}

void add_holder(Page& page, const Json& holder, const std::map<std::string, std::string>& gpus) {
  const auto gpu = gpus.find(text_in(holder, "device"));
  const auto returned = count_in(holder, "returned_bytes");
  const auto promised = count_in(holder, "promised_bytes");
  const auto unbooked = count_in(holder, "unbooked_bytes").value_or(0);
  std::string text = fmt::format("{} on {}: {}", who_text(holder),
                                 gpu == gpus.end() ? harmless(text_in(holder, "device")) : gpu->second,
                                 harmless(text_in(holder, "what")));
  const std::string problem = text_in(holder, "problem");
  if (problem.empty()) {
    text += returned ? fmt::format("; {} came back", mib(Bytes(*returned))) : "; what came back is not known";
    if (promised) text += fmt::format(" of {} that were promised", mib(Bytes(*promised)));
    if (unbooked > 0) text += fmt::format("; {} are no longer booked", mib(Bytes(unbooked)));
  }
  page.sentence(text, 4, problem.empty() ? Ink::plain : Ink::faint);
  if (!problem.empty()) page.sentence(problem, 6, Ink::warn);
  if (const std::string note = text_in(holder, "note"); !note.empty()) page.sentence(note, 6, Ink::faint);
}

void add_advice(Page& page, const Json& advice, const std::map<std::string, std::string>& gpus) {
  const auto gpu = gpus.find(text_in(advice, "device"));
  std::string text =
      fmt::format("{} on {}: {}", size_in(advice, "memory_bytes"),
                  gpu == gpus.end() ? harmless(text_in(advice, "device")) : gpu->second, who_text(advice));
  if (const std::string user = text_in(advice, "user"); !user.empty()) text += " of " + harmless(user);
  const auto idle = number_in(advice, "idle_seconds");
  text += idle ? fmt::format(", idle for {}", duration_text(*idle)) : ", whose load is not known";
  page.sentence(text, 2);
  page.sentence(text_in(advice, "recommendation"), 4, Ink::faint);
}

std::string title_of(std::string_view step) {
  if (step == "reap") return "Reaped";
  if (step == "ask") return "Asked";
  if (step == "name") return "Named";
  if (step == "suspend") return "Suspended";
  return "Terminated";
}

}  // namespace

std::string render_plan(std::string_view text, const RenderOptions& options) {
  const Json plan = parse_document(text);
  Page page(options);
  const std::string verdict = text_in(plan, "verdict");
  std::string where;
  for (const Json& index : list_in(plan, "indices")) {
    if (index.is_number_unsigned())
      where += fmt::format("{}GPU {}", where.empty() ? "" : " and ", index.get<std::uint64_t>());
  }
  const std::string size = size_in(plan, "min_bytes");
  if (verdict == "fits") {
    page.sentence(fmt::format("{} fit now, on {}.", size, where), 0, Ink::good);
    return page.take();
  }
  if (verdict == "never") {
    page.sentence(fmt::format("{} would not fit, whatever moves or ends:", size), 0, Ink::bad);
    for (const Json& reason : list_in(plan, "reasons")) {
      if (reason.is_string()) page.sentence(reason.get<std::string>(), 2);
    }
    return page.take();
  }
  page.sentence(fmt::format("{} would fit on {} after this:", size, where), 0, Ink::strong);
  std::size_t n = 0;
  for (const Json& step : list_in(plan, "steps")) page.sentence(fmt::format("{}. {}", ++n, step_sentence(step)), 2);
  if (!flag_in(plan, "exact")) {
    page.sentence("There was too much to try all of it: a cheaper way may exist.", 0, Ink::faint);
  }
  page.sentence("Nothing of it was done. Only holders themselves can move what they have.", 0, Ink::faint);
  return page.take();
}

std::string render_reclaim(std::string_view text, const RenderOptions& options) {
  const Json report = parse_document(text);
  Page page(options);
  const auto returned = count_in(report, "returned_bytes").value_or(0);
  page.line({{fmt::format("{} came back in {}", mib(Bytes(returned)),
                          duration_text(number_in(report, "took_seconds").value_or(0))),
              returned > 0 ? Ink::good : Ink::strong}});
  if (const std::string problem = text_in(report, "problem"); !problem.empty()) page.sentence(problem, 0, Ink::warn);
  for (const Json& device : list_in(report, "devices")) add_device(page, device);
  const auto gpus = gpus_of(report);
  for (const Json& step : list_in(report, "steps")) {
    const std::string name = text_in(step, "step");
    const std::string skipped = text_in(step, "skipped");
    if (name == "name") continue;
    page.gap();
    const auto bytes = count_in(step, "returned_bytes").value_or(0);
    page.line({{title_of(name), Ink::strong}, {skipped.empty() ? fmt::format("  {}", mib(Bytes(bytes))) : ""}});
    if (!skipped.empty()) page.sentence(skipped, 4, Ink::faint);
    for (const Json& holder : list_in(step, "holders")) add_holder(page, holder, gpus);
  }
  if (list_in(report, "advice").empty()) return page.take();
  page.gap();
  page.line({{"Worth a look", Ink::strong}});
  for (const Json& advice : list_in(report, "advice")) add_advice(page, advice, gpus);
  return page.take();
}

std::string render_reclaim_line(std::string_view text, const RenderOptions& options) {
  const Json report = parse_document(text);
  const std::string started = text_in(report, "started");
  std::string line = started.size() >= 19 ? harmless(started.substr(11, 8)) + "Z  " : std::string();
  line += fmt::format("{} came back", size_in(report, "returned_bytes"));
  for (const Json& device : list_in(report, "devices")) {
    const auto total = count_in(device, "total_bytes");
    const auto used = count_in(device, "used_after_bytes");
    if (!total || !used || *total == 0) continue;
    line += fmt::format("; {} is at {:.0f} %", gpu_text(device, "index", "id"),
                        100.0 * static_cast<double>(*used) / static_cast<double>(*total));
  }
  return paint({{line}}, options) + "\n";
}

}  // namespace gpukeeper::cli
