#include "format/fault_query.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "format/columns.hpp"
#include "yaml/values.hpp"

namespace gpukeeper {
namespace {

constexpr std::array kSeverities = {Severity::info, Severity::warning, Severity::error, Severity::critical};

// Whether a selector means the device of that record, be it listed or not.
bool names(const std::string& selector, const FaultRecord& record) {
  if (selector == record.device.text) return true;
  const auto pci = PciAddress::parse(selector);
  return pci && record.pci == pci;
}

Result<std::set<DeviceId>> chosen_devices(const FaultList& list, const Snapshot& snapshot,
                                          const std::vector<std::string>& selectors) {
  std::set<DeviceId> result;
  for (const std::string& selector : selectors) {
    const auto before = result.size();
    for (const auto& record : list.records) {
      if (names(selector, *record)) result.insert(record->device);
    }
    const auto listed = select_devices(snapshot, {&selector, 1});
    if (!listed && result.size() == before) return tl::make_unexpected(listed.error());
    if (!listed) continue;
    for (const DeviceSnapshot& d : listed->devices) result.insert(d.device->parent.value_or(d.device->id));
  }
  return result;
}

}  // namespace

std::vector<std::string> fault_kind_names() {
  std::vector<std::string> names;
  for (int kind = 0; kind <= static_cast<int>(EventKind::driver); ++kind) {
    names.emplace_back(to_string(static_cast<EventKind>(kind)));
  }
  return names;
}

std::vector<std::string> severity_names() {
  std::vector<std::string> names;
  for (const Severity severity : kSeverities) names.emplace_back(to_string(severity));
  return names;
}

Result<EventKind> parse_fault_kind(std::string_view name) {
  const auto names = fault_kind_names();
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<EventKind>(found - names.begin());
  return fail(Errc::invalid_argument,
              fmt::format("kind is one of {}, not '{}'", fmt::join(names, ", "), harmless(name)));
}

Result<Severity> parse_severity(std::string_view name) {
  for (const Severity severity : kSeverities) {
    if (to_string(severity) == name) return severity;
  }
  return fail(Errc::invalid_argument,
              fmt::format("severity is one of {}, not '{}'", fmt::join(severity_names(), ", "), harmless(name)));
}

Result<WallTime> parse_since(std::string_view text, WallTime now) {
  if (const auto date = parse_rfc3339(text)) return *date;
  if (const auto seconds = yaml::parse_duration(text)) {
    return now - std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(*seconds));
  }
  return fail(Errc::invalid_argument,
              fmt::format("since takes a time ago such as 90s, 30m, 24h or 7d, or a date such as {}, not '{}'",
                          rfc3339(now), harmless(text)));
}

Result<std::vector<std::shared_ptr<const FaultRecord>>> choose_faults(const FaultList& list, const Snapshot& snapshot,
                                                                      const FaultQuery& query) {
  const auto devices = chosen_devices(list, snapshot, query.devices);
  if (!devices) return tl::make_unexpected(devices.error());
  std::optional<WallTime> since;
  if (query.since) {
    const auto moment = parse_since(*query.since, snapshot.taken_at);
    if (!moment) return tl::make_unexpected(moment.error());
    since = *moment;
  }
  std::vector<std::shared_ptr<const FaultRecord>> result;
  for (const auto& r : list.records) {
    const bool left_out = (!query.devices.empty() && !devices->contains(r->device)) ||
                          (query.severity && r->severity < *query.severity) || (since && r->last < *since) ||
                          (!query.kinds.empty() && std::ranges::find(query.kinds, r->kind) == query.kinds.end());
    if (!left_out) result.push_back(r);
  }
  std::ranges::stable_sort(
      result, [](const auto& a, const auto& b) { return a->last != b->last ? a->last > b->last : a->id > b->id; });
  if (query.limit && result.size() > *query.limit) result.resize(*query.limit);
  return result;
}

}  // namespace gpukeeper
