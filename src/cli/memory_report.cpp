#include "cli/memory_report.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "cli/document.hpp"
#include "cli/leases_page.hpp"
#include "cli/notes.hpp"
#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "format/human.hpp"

namespace gpukeeper::cli {
namespace {

using Weight = Advice::Weight;

constexpr double kFull = 0.85;                          // of a device: the documented memory_threshold
constexpr double kStrangers = 0.10;                     // of a device, without a lease: worth a word
constexpr double kHardlyUsed = 0.25;                    // of what is booked
constexpr auto kLongEnough = std::chrono::minutes(10);  // to have loaded a model
constexpr std::uint64_t kLittle = std::uint64_t{1} << 30;

std::uint64_t bytes_in(const Json& object, std::string_view name) {
  return count_in(object, name).value_or(0);
}

std::string index_of(const Json& object) {
  const auto index = count_in(object, "index");
  return index ? std::to_string(*index) : "?";
}

std::string name_of(const Json& lease) {
  return fmt::format("Lease {} of {}", text_in(lease, "id"), text_in(lease, "service"));
}

void judge_device(const Json& device, std::vector<Advice>& result) {
  const auto total = static_cast<double>(bytes_in(device, "total_bytes"));
  const auto used = static_cast<double>(bytes_in(device, "used_bytes"));
  if (total <= 0) return;
  if (used > kFull * total) {
    result.push_back(
        {Weight::bad, fmt::format("GPU {} is {:.0f} % full: gpukeeper optimize says what can be given back.",
                                  index_of(device), 100 * used / total)});
  }
  for (const Json& process : list_in(device, "foreign")) {
    const auto memory = bytes_in(process, "memory_bytes");
    if (static_cast<double>(memory) < kStrangers * total) continue;
    const std::string name = text_in(process, "name");
    result.push_back(
        {Weight::notice, fmt::format("GPU {}: {} ({}) uses {} without a lease. Started with gpukeeper run --memory, it "
                                     "would be counted for what it is.",
                                     index_of(device), name.empty() ? "a process" : name,
                                     number_in(process, "pid").value_or(0), size_text(memory))});
  }
}

void judge_lease(const Json& lease, WallTime now, std::vector<Advice>& result) {
  const std::string state = text_in(lease, "state");
  const auto observed = count_in(lease, "observed_bytes");
  if (state == "leaked") {
    result.push_back(
        {Weight::bad, fmt::format("{} is over, and {} of it are still in use on GPU {}: whoever holds them "
                                  "must end (gpukeeper ps).",
                                  name_of(lease), size_text(observed.value_or(0)), index_of(lease))});
  }
  if (flag_in(lease, "overused")) {
    result.push_back(
        {Weight::bad, fmt::format("{} uses {} and may use {}: book more for it, or have it use less.", name_of(lease),
                                  size_text(observed.value_or(0)), size_text(bytes_in(lease, "max_bytes")))});
  }
  const auto created = parse_rfc3339(text_in(lease, "created"));
  const auto booked = bytes_in(lease, "min_bytes");
  const bool held = state == "active" || state == "starting";
  if (held && observed && created && now - *created > kLongEnough && booked > kLittle &&
      static_cast<double>(bytes_in(lease, "peak_bytes")) < kHardlyUsed * static_cast<double>(booked)) {
    result.push_back(
        {Weight::notice, fmt::format("{} booked {} and never used more than {}: others could have the rest.",
                                     name_of(lease), size_text(booked), size_text(bytes_in(lease, "peak_bytes")))});
  }
}

std::vector<Advice> judge(const Json& status, const Json& book) {
  std::vector<Advice> result;
  const auto now = parse_rfc3339(text_in(book, "taken_at")).value_or(WallTime{});
  if (const std::string why = text_in(book, "closed"); !why.empty()) {
    result.push_back({Weight::bad, "Nothing is granted now: " + why});
  }
  if (list_in(status, "devices").empty()) {
    result.push_back({Weight::notice, "There is no GPU: gpukeeper doctor says why."});
    return result;
  }
  for (const Json& device : list_in(book, "devices")) judge_device(device, result);
  for (const Json& lease : list_in(book, "leases")) judge_lease(lease, now, result);
  if (const auto waiting = list_in(book, "waiting").size(); waiting > 0) {
    result.push_back(
        {Weight::notice, fmt::format("{} for room: gpukeeper plan SIZE says what would have to go.",
                                     waiting == 1 ? "A request waits" : fmt::format("{} requests wait", waiting))});
  }
  std::ranges::stable_sort(result, {}, &Advice::weight);
  if (result.empty()) result.push_back({Weight::good, "All is well: there is room, and no lease is in trouble."});
  return result;
}

struct Sums {
  std::uint64_t total = 0;
  std::uint64_t used = 0;
  std::uint64_t booked = 0;
  std::uint64_t leases = 0;
};

Sums sums_of(const Json& book) {
  Sums sums;
  for (const Json& device : list_in(book, "devices")) {
    sums.total += bytes_in(device, "total_bytes");
    sums.used += bytes_in(device, "used_bytes");
    sums.booked += bytes_in(device, "booked_bytes");
    sums.leases += bytes_in(device, "leases");
  }
  return sums;
}

}  // namespace

std::vector<Advice> advice_of(std::string_view status, std::string_view leases) {
  return judge(parse_document(status), parse_document(leases));
}

std::string render_memory_report(std::string_view status, std::string_view leases, const RenderOptions& options) {
  const Json book = parse_document(leases);
  const Sums sums = sums_of(book);
  const auto devices = list_in(book, "devices").size();
  const std::string title =
      fmt::format("{} GPU{}, {} of memory: {} in use ({:.0f} %), {} booked by {} lease{}", devices,
                  devices == 1 ? "" : "s", size_text(sums.total), size_text(sums.used),
                  sums.total > 0 ? 100.0 * static_cast<double>(sums.used) / static_cast<double>(sums.total) : 0.0,
                  size_text(sums.booked), sums.leases, sums.leases == 1 ? "" : "s");
  std::string text;
  for (const std::string& line : wrapped({}, {title, Ink::strong}, options)) text += line + "\n";
  text += "\n" + render_leases(leases, options) + "\n";
  for (const Advice& advice : judge(parse_document(status), book)) {
    const Ink ink = advice.weight == Weight::bad ? Ink::bad : advice.weight == Weight::notice ? Ink::warn : Ink::good;
    const char* mark = advice.weight == Weight::bad ? "! " : advice.weight == Weight::notice ? "- " : "";
    const Span next{std::string(std::string_view(mark).size(), ' ')};
    for (const std::string& line : wrapped({mark, ink}, next, {advice.sentence, Ink::plain}, options)) {
      text += line + "\n";
    }
  }
  return text;
}

std::string memory_report_json(std::string_view status, std::string_view leases) {
  const Json book = parse_document(leases);
  const Sums sums = sums_of(book);
  Json advice = Json::array();
  for (const Advice& each : judge(parse_document(status), book)) {
    const char* weight = each.weight == Weight::bad ? "bad" : each.weight == Weight::notice ? "notice" : "good";
    advice.push_back({{"weight", weight}, {"sentence", each.sentence}});
  }
  return dump({{"schema", "gpukeeper.memory_report/1"},
               {"taken_at", member(book, "taken_at")},
               {"total_bytes", sums.total},
               {"used_bytes", sums.used},
               {"booked_bytes", sums.booked},
               {"leases", sums.leases},
               {"advice", std::move(advice)},
               {"devices", member(book, "devices")}},
              true);
}

}  // namespace gpukeeper::cli
