#include "cli/leases_page.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/document.hpp"
#include "cli/memory_size.hpp"
#include "cli/notes.hpp"
#include "cli/table.hpp"
#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "core/text.hpp"
#include "format/human.hpp"
#include "ledger/ledger_settings.hpp"

namespace gpukeeper::cli {
namespace {

using enum Column::Align;

constexpr std::size_t kForeign = 4;  // of a device, in its line
constexpr std::string_view kPrefix = "gpukeeper: ";

std::string size_in(const Json& object, std::string_view name) {
  const auto bytes = count_in(object, name);
  return bytes ? size_text(*bytes) : "-";
}

std::string memory_in(const Json& object, std::string_view name) {
  return memory_text(Bytes(count_in(object, name).value_or(0)));
}

std::string gpu_of(const Json& object) {
  const auto index = count_in(object, "index");
  return index ? std::to_string(*index) : "-";
}

std::string_view origin_of(const Json& object) {
  return flag_in(object, "simulated") ? "simulated" : flag_in(object, "recorded") ? "recorded" : "";
}

std::chrono::nanoseconds seconds_of(double seconds) {
  constexpr double kMost = 3e8;  // ten years: beyond that nobody counts
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::clamp(seconds, 0.0, kMost) * 1e9));
}

Ink ink_of_state(std::string_view state) {
  if (state == "active") return Ink::good;
  if (state == "leaked") return Ink::bad;
  if (state == "draining") return Ink::warn;
  return state == "waiting" || state == "ended" ? Ink::faint : Ink::plain;
}

class Page {
 public:
  Page(const Json& document, const RenderOptions& options) : document_(document), options_(options) {}

  void devices() {
    Table table({{.header = "GPU", .align = right},
                 {.header = "NAME", .priority = 30, .shrinks_to = 12},
                 {.header = "ORIGIN", .priority = 25, .only_if_filled = true},
                 {.header = "BOOKED", .align = right},
                 {.header = "AVAILABLE", .align = right},
                 {.header = "UNMANAGED", .align = right},
                 {.header = "DRAINING", .align = right, .only_if_filled = true},
                 {.header = "OF", .align = right},
                 {.header = "LEASES", .align = right, .priority = 10}});
    for (const Json& d : list_in(document_, "devices")) {
      const auto draining = count_in(d, "draining_bytes").value_or(0);
      table.add_row(
          {{gpu_of(d), Ink::strong},
           {safe(text_in(d, "name"))},
           {std::string(origin_of(d)), Ink::warn},
           {size_in(d, "booked_bytes")},
           {size_in(d, "available_bytes"), Ink::good},
           {size_in(d, "unmanaged_bytes"), count_in(d, "unmanaged_bytes").value_or(0) > 0 ? Ink::warn : Ink::plain},
           {draining > 0 ? size_text(draining) : "", Ink::warn},
           {size_in(d, "capacity_bytes")},
           {std::to_string(count_in(d, "leases").value_or(0))}});
    }
    if (!table.empty()) print(table);
  }

  void leases(std::string_view list, bool over) {
    Table table({{.header = "LEASE", .align = right},
                 {.header = "SERVICE", .shrinks_to = 12},
                 {.header = "NAME", .priority = 20, .shrinks_to = 8, .only_if_filled = true},
                 {.header = "GPU", .align = right},
                 {.header = "BOOKED", .align = right},
                 {.header = "AT MOST", .align = right, .priority = 35, .only_if_filled = true},
                 {.header = over ? "PEAK" : "USED", .align = right},
                 {.header = "STATE"},
                 {.header = "OWNER", .priority = 40},
                 {.header = "USER", .priority = 12},
                 {.header = "SINCE", .align = right, .priority = 30},
                 {.header = "ENDS IN", .align = right, .priority = 25, .only_if_filled = true}});
    for (const Json& lease : list_in(document_, list)) {
      const std::string state = text_in(lease, "state");
      const std::string user = text_in(lease, "user");
      table.add_row({{safe(text_in(lease, "id")), Ink::strong},
                     {safe(text_in(lease, "service"))},
                     {safe(text_in(lease, "name")), Ink::faint},
                     {gpu_of(lease)},
                     {size_in(lease, "min_bytes")},
                     {most(lease)},
                     {over ? size_in(lease, "peak_bytes") : size_in(lease, "observed_bytes"),
                      flag_in(lease, "overused") ? Ink::bad : Ink::plain},
                     {state_of(lease, state), flag_in(lease, "overused") ? Ink::bad : ink_of_state(state)},
                     {owner(lease)},
                     {user.empty() ? std::to_string(count_in(lease, "uid").value_or(0)) : safe(user)},
                     {since(lease), Ink::faint},
                     {ends(lease), Ink::faint}});
    }
    if (table.empty()) return;
    if (over) sentence("Over:", Ink::faint);
    print(table);
  }

  // Who uses memory without a lease: a line a device.
  void foreign() {
    for (const Json& d : list_in(document_, "devices")) {
      const Json& processes = list_in(d, "foreign");
      if (processes.empty()) continue;
      const std::string label = fmt::format("GPU {}: ", gpu_of(d));
      std::string text = "in use without a lease: ";
      for (std::size_t i = 0; i < std::min(kForeign, processes.size()); ++i) {
        const Json& p = processes[i];
        const std::string name = text_in(p, "name");
        text += fmt::format("{}{} ({}) {}", i == 0 ? "" : ", ", name.empty() ? "process" : name,
                            number_in(p, "pid").value_or(0), size_in(p, "memory_bytes"));
      }
      if (processes.size() > kForeign) text += fmt::format(", and {} more", processes.size() - kForeign);
      const Span next{std::string(display_width(label), ' ')};
      for (const std::string& line : wrapped({label, Ink::faint}, next, {text, Ink::faint}, options_)) {
        text_ += line + "\n";
      }
    }
  }

  void closed() {
    const std::string why = text_in(document_, "closed");
    if (why.empty()) return;
    sentence("Nothing is granted now: " + why, Ink::bad);
    gap();
  }

  void sentence(std::string_view text, Ink ink = Ink::plain) {
    for (const std::string& line : wrapped({}, {std::string(text), ink}, options_)) text_ += line + "\n";
  }
  void gap() { text_ += "\n"; }
  std::string text() && { return std::move(text_); }

 private:
  std::string safe(std::string_view text) const { return harmless(text, options_.utf8); }
  void print(const Table& table) {
    for (const std::string& row : table.render(options_)) text_ += row + "\n";
  }

  static std::string most(const Json& lease) {
    const auto most = count_in(lease, "max_bytes").value_or(0);
    return most > count_in(lease, "min_bytes").value_or(0) ? size_text(most) : "";
  }

  std::string state_of(const Json& lease, const std::string& state) const {
    if (state == "waiting") {
      const Json& queue = list_in(document_, "waiting");
      const auto at = std::ranges::find(queue, member(lease, "id"));
      return at == queue.end() ? state : fmt::format("waiting, {} in line", at - queue.begin() + 1);
    }
    if (const std::string reason = text_in(lease, "reason"); state == "ended" && !reason.empty()) {
      std::string words = safe(reason);
      std::ranges::replace(words, '_', ' ');
      return words;
    }
    return flag_in(lease, "overused") ? "overused" : safe(state);
  }

  std::string owner(const Json& lease) const {
    const Json& owner = member(lease, "owner");
    const std::string kind = text_in(owner, "kind");
    if (kind == "process") return fmt::format("process {}", number_in(owner, "pid").value_or(0));
    if (kind == "heartbeat") {
      return fmt::format("heartbeat {}", age_text(seconds_of(number_in(owner, "ttl_seconds").value_or(0))));
    }
    return safe(kind);
  }

  std::string since(const Json& lease) const {
    const auto created = parse_rfc3339(text_in(lease, "created"));
    return created ? age_text(std::max(options_.now - *created, WallTime::duration::zero())) : "-";
  }

  static std::string ends(const Json& lease) {
    const auto left = number_in(lease, "ends_in_seconds");
    return left ? age_text(seconds_of(*left)) : "";
  }

  const Json& document_;
  const RenderOptions& options_;
  std::string text_;
};

// "a; b; c" of a refusal, behind its ": ". Only a matter of looks: names may hold the same.
std::vector<std::string> obstacles_of(std::string_view sentence) {
  std::vector<std::string> pieces;
  for (std::size_t from = 0; from <= sentence.size();) {
    const auto at = std::min(sentence.find("; ", from), sentence.size());
    pieces.emplace_back(sentence.substr(from, at - from));
    from = at + 2;
  }
  return pieces;
}

// Whether that is the service's; of an empty name everything is.
bool is_of(const Json& object, std::string_view service) {
  return service.empty() || canonical_service(text_in(object, "service")) == canonical_service(service);
}

void add_wrapped(std::string& text, std::string_view sentence, std::size_t indent, std::size_t width) {
  const std::size_t room = width > indent + 20 ? width - indent : 20;
  for (const std::string& line : wrap(sentence, room)) text += "\n" + std::string(indent, ' ') + line;
}

}  // namespace

std::string render_leases(std::string_view document, const RenderOptions& options) {
  const Json json = parse_document(document);
  Page page(json, options);
  page.closed();
  page.devices();
  if (list_in(json, "devices").empty()) page.sentence("There is no GPU: gpukeeper doctor says why.");
  page.gap();
  page.leases("leases", false);
  if (list_in(json, "leases").empty()) {
    page.sentence(
        "Nothing is booked. gpukeeper allocate SERVICE MEMORY books memory, gpukeeper run --memory 6GiB -- "
        "COMMAND books it for a command.");
  }
  if (!list_in(json, "ended").empty()) page.gap();
  page.leases("ended", true);
  const bool strangers =
      std::ranges::any_of(list_in(json, "devices"), [](const Json& d) { return !list_in(d, "foreign").empty(); });
  if (strangers) page.gap();
  page.foreign();
  return std::move(page).text();
}

std::string render_grant(std::string_view document, const RenderOptions& options) {
  const Json json = parse_document(document);
  std::string text;
  for (const Json& lease : list_in(json, "leases")) {
    const auto min = count_in(lease, "min_bytes").value_or(0);
    const auto max = count_in(lease, "max_bytes").value_or(min);
    const std::string sentence = fmt::format(
        "{} {}{} on GPU {} for {}: lease {}{}", flag_in(json, "repeated") ? "Had booked" : "Booked",
        memory_in(lease, "min_bytes"), max > min ? fmt::format(", {} at most,", memory_text(Bytes(max))) : "",
        gpu_of(lease), harmless(text_in(lease, "service"), options.utf8), harmless(text_in(lease, "id")),
        origin_of(lease).empty() ? "" : fmt::format(" ({})", origin_of(lease)));
    for (const std::string& line : wrap(sentence, options.width)) text += line + "\n";
  }
  if (const std::string note = text_in(json, "note"); !note.empty()) {
    for (const std::string& line : wrap(harmless(note, options.utf8), options.width)) text += line + "\n";
  }
  return text;
}

std::optional<std::string> render_quotas(std::string_view document, std::string_view service,
                                         const RenderOptions& options) {
  const Json json = parse_document(document);
  Table table({{.header = "SERVICE", .shrinks_to = 12},
               {.header = "BOOKED", .align = right},
               {.header = "OF", .align = right},
               {.header = "LEASES", .align = right},
               {.header = "AT LEAST", .align = right, .priority = 40},
               {.header = "AT MOST", .align = right, .priority = 40},
               {.header = "PREFERS", .priority = 30, .shrinks_to = 8, .only_if_filled = true},
               {.header = "ONLY ON", .priority = 20, .shrinks_to = 8, .only_if_filled = true},
               {.header = "PRIORITY", .align = right, .priority = 10, .only_if_filled = true}});
  for (const Json& s : list_in(json, "services")) {
    const std::string name = text_in(s, "service");
    if (!is_of(s, service)) continue;
    const Json& quota = member(s, "quota");
    const auto most = count_in(quota, "leases");
    std::string only;
    for (const Json& device : list_in(quota, "devices")) {
      if (device.is_string()) only += (only.empty() ? "" : ", ") + device.get<std::string>();
    }
    const auto priority = number_in(quota, "priority").value_or(0);
    table.add_row(
        {{harmless(name, options.utf8), Ink::strong},
         {size_in(s, "booked_bytes")},
         {quota.is_null() ? "no quota" : size_in(quota, "total_bytes"), quota.is_null() ? Ink::faint : Ink::plain},
         {fmt::format("{}{}", count_in(s, "leases").value_or(0), most ? fmt::format(" of {}", *most) : "")},
         {size_in(quota, "min_request_bytes")},
         {size_in(quota, "max_request_bytes")},
         {harmless(text_in(quota, "preferred_device"), options.utf8)},
         {harmless(only, options.utf8)},
         {priority == 0 ? "" : fmt::format("{:g}", priority)}});
  }
  if (table.empty() && !service.empty()) return std::nullopt;
  if (table.empty()) {
    return "No service holds anything or has a quota: the section ledger of the configuration gives them.\n";
  }
  std::string text;
  for (const std::string& row : table.render(options)) text += row + "\n";
  return text;
}

std::string quotas_of(std::string_view document, std::string_view service) {
  Json json = parse_document(document);
  Json services = Json::array();
  for (const Json& each : list_in(json, "services")) {
    if (is_of(each, service)) services.push_back(each);
  }
  json["services"] = std::move(services);
  return dump(json, true);
}

std::string render_refusal(std::string_view problem, std::size_t width, bool utf8) {
  const Json json = parse_document(problem);
  const std::string detail = text_in(json, "detail");
  const auto sentences = lines(detail);
  if (sentences.empty()) return "it was refused without a reason";
  std::string text;
  add_wrapped(text, std::string(kPrefix) + harmless(sentences.front(), utf8), 0, width);
  text.erase(0, 1 + kPrefix.size());
  const Json& devices = list_in(member(json, "refusal"), "devices");
  for (std::size_t i = 1; i < sentences.size(); ++i) {
    const std::string sentence = harmless(sentences[i], utf8);
    const bool lists = i - 1 < devices.size() &&
                       (!list_in(devices[i - 1], "in_the_way").empty() || !list_in(devices[i - 1], "foreign").empty());
    const auto colon = lists ? sentence.find(": ") : std::string::npos;
    add_wrapped(text, sentence.substr(0, colon == std::string::npos ? colon : colon + 1), 2, width);
    if (colon == std::string::npos) continue;
    for (const std::string& each : obstacles_of(std::string_view(sentence).substr(colon + 2))) {
      add_wrapped(text, each, 4, width);
    }
  }
  return text;
}

}  // namespace gpukeeper::cli
