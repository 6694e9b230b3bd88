#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "events/event_type.hpp"
#include "policy/governor_event.hpp"

namespace gpukeeper::embed {

/// Which events a listener wants: those of docs/api.md, of which `throttle` is called `speed` here, and those that the
/// governor tells, as the documented GPU manager names them.
struct EventWishes {
  events::EventTypes types;
  std::set<GovernorEventKind> kinds;

  static EventWishes all();
};

/// Names with commas between them, groups such as `alert` too; empty for all. Errors: invalid_argument, which lists
/// them.
Result<EventWishes> parse_event_wishes(std::string_view names);

/// The name of a type of docs/api.md here.
std::string_view name_here(std::string_view type);

/// An event as a listener gets it.
struct ToldEvent {
  std::uint64_t sequence = 0;
  std::string type;
  std::optional<std::uint32_t> device;  ///< its index
  std::string json;
};

/// {"id": …, "type": …, "timestamp": …, "payload": …}
ToldEvent told(std::uint64_t sequence, const GovernorEvent& event);

/// A message as docs/api.md has it, with its type as it is called here. `snapshot` says which index the device has that
/// it names by its UUID.
ToldEvent told(std::uint64_t sequence, const std::string& message, const Snapshot& snapshot);

/// What a change of the governed state means, in the governor's words; without those that take a reading (overheat).
std::set<GovernorEventKind> kinds_of(State before, State now, bool available);

}  // namespace gpukeeper::embed
