#include "service/faults_answer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "format/fault_query.hpp"
#include "format/faults_json.hpp"

namespace gpukeeper::service {
namespace {

Result<void> take(FaultQuery& query, std::string_view name, const std::string& value) {
  if (name == "device") {
    query.devices.push_back(value);
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
  } else if (name == "limit") {
    const auto limit = parse_u64(value);
    if (!limit) {
      return fail(Errc::invalid_argument, fmt::format("limit takes a whole number, not '{}'", harmless(value)));
    }
    query.limit = *limit;
  } else {
    return fail(Errc::invalid_argument, fmt::format("there is no parameter '{}': device, severity, kind, since and "
                                                    "limit are known here",
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

Response refusal(const Error& error) {
  const bool missing = error.code == Errc::not_found;
  return problem(missing ? 404 : 400, missing ? "not_found" : "bad_parameter", harmless(error.message));
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
  if (!query) return refusal(query.error());
  auto chosen = choose_faults(faults, snapshot, *query);
  if (!chosen) return refusal(chosen.error());
  const FaultsView view{std::move(*chosen), faults.totals, kept_in, note_of(snapshot)};
  return json_answer(200, faults_json(view, snapshot, false) + "\n");
}

}  // namespace gpukeeper::service
