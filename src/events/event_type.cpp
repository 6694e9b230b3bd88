#include "events/event_type.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::events {
namespace {

using enum EventType;

constexpr std::size_t kLongestName = 64;

constexpr EventType kTypes[] = {
    snapshot, state,         throttle,       alert_fired, alert_resolved, alert_acknowledged, alert_unacknowledged,
    fault,    lease_granted, lease_draining, lease_ended, lease_leaked,   lease_overused,     lease_overuse_over};

std::string_view group_of(EventType type) {
  const std::string_view name = to_string(type);
  return name.substr(0, name.find('.'));
}

std::string known_names() {
  std::vector<std::string_view> names;
  for (const EventType type : kTypes) {
    if (names.empty() || names.back() != group_of(type)) names.push_back(group_of(type));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string_view to_string(EventType type) {
  switch (type) {
    case snapshot: return "snapshot";
    case state: return "state";
    case throttle: return "throttle";
    case alert_fired: return "alert.fired";
    case alert_resolved: return "alert.resolved";
    case alert_acknowledged: return "alert.acknowledged";
    case alert_unacknowledged: return "alert.unacknowledged";
    case fault: return "fault";
    case lease_granted: return "lease.granted";
    case lease_draining: return "lease.draining";
    case lease_ended: return "lease.ended";
    case lease_leaked: return "lease.leaked";
    case lease_overused: return "lease.overused";
    case lease_overuse_over: return "lease.overuse_over";
  }
  return "snapshot";
}

std::span<const EventType> event_types() {
  return kTypes;
}

EventTypes EventTypes::all() {
  EventTypes result;
  for (const EventType type : kTypes) result.add(type);
  return result;
}

Result<EventTypes> parse_event_types(std::string_view names) {
  EventTypes result;
  for (const std::string_view name : split(names, ',')) {
    bool found = false;
    for (const EventType type : kTypes) {
      if (name != to_string(type) && name != group_of(type)) continue;
      result.add(type);
      found = true;
    }
    if (!found) {
      return fail(Errc::invalid_argument,
                  fmt::format("types: there are no events called '{}': {} are known, and of a group one kind as in "
                              "alert.fired",
                              fit(harmless(name), kLongestName), known_names()));
    }
  }
  return result;
}

}  // namespace gpukeeper::events
