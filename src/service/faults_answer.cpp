#include "service/faults_answer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "format/fault_query.hpp"
#include "format/faults_json.hpp"
#include "service/query.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::string_view kList = "faults";
constexpr std::size_t kMost = 100'000;

Result<void> take(FaultQuery& query, std::string_view name, const std::string& value) {
  if (name == "device") {
    for (const std::string_view device : split(value, ',')) query.devices.emplace_back(trim(device));
  } else if (name == "severity") {
    const auto severity = parse_severity(value);
    if (!severity) return tl::make_unexpected(severity.error());
    query.severity = *severity;
  } else if (name == "kind") {
    for (const std::string_view word : split(value, ',')) {
      const auto kind = parse_fault_kind(word);
      if (!kind) return tl::make_unexpected(kind.error());
      query.kinds.push_back(*kind);
    }
  } else if (name == "since") {
    query.since = value;
  } else if (name == "limit" || name == "cursor") {
    return {};  // of the page
  } else {
    return fail(Errc::invalid_argument, fmt::format("there is no parameter '{}': device, severity, kind, since, "
                                                    "limit and cursor are known here",
                                                    harmless(name)));
  }
  return {};
}

Result<FaultQuery> read_query(const Request& request) {
  FaultQuery query;
  for (const auto& [name, value] : request.query) {
    if (const auto taken = take(query, name, value); !taken) return tl::make_unexpected(taken.error());
  }
  return query;
}

// By when a fault happened last, and its id: what happens again meanwhile stands on the first page.
std::string key_of(const FaultRecord& fault) {
  return fmt::format("{} {}", fault.last.time_since_epoch().count(), fault.id);
}

bool is_behind(const FaultRecord& fault, std::string_view key) {
  const auto blank = std::min(key.find(' '), key.size());
  const auto last = parse_i64(key.substr(0, blank)).value_or(0);
  const auto id = parse_u64(key.substr(blank)).value_or(0);
  const auto own = static_cast<std::int64_t>(fault.last.time_since_epoch().count());
  return own != last ? own < last : fault.id < id;
}

// What the journal says of itself stands among the sources of events.
std::string note_of(const Snapshot& snapshot) {
  const auto found = std::ranges::find(snapshot.event_sources, kFaultJournal, &EventSourceStatus::name);
  return found == snapshot.event_sources.end() ? std::string() : found->message;
}

}  // namespace

Response faults_answer(const Request& request, const FaultList& faults, const std::string& kept_in,
                       const Snapshot& snapshot) {
  if (snapshot.sequence == 0) return starting();
  const auto query = read_query(request);
  if (!query) return refused_query(query.error());
  const auto page = page_wish(request, kList, kMost);
  if (!page) return refused_query(page.error());
  auto chosen = choose_faults(faults, snapshot, *query);
  if (!chosen) return refused_query(chosen.error());
  if (page->after) std::erase_if(*chosen, [&](const auto& fault) { return !is_behind(*fault, *page->after); });
  const bool more = page->limit && chosen->size() > *page->limit;
  if (more) chosen->resize(*page->limit);
  const std::string last = more ? key_of(*chosen->back()) : std::string();
  const FaultsView view{std::move(*chosen), faults.totals, kept_in, note_of(snapshot)};
  auto response = json_answer(200, faults_json(view, snapshot, false) + "\n");
  if (more) link_next(response, request, kList, last);
  return response;
}

}  // namespace gpukeeper::service
