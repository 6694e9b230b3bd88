#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpukeeper::events {

/// What can happen. The part of a name before the dot names a group.
enum class EventType : std::uint8_t {
  snapshot,              ///< the GPUs were looked at
  state,                 ///< a GPU's governed state changed, or whether it is available
  throttle,              ///< how fast work on a GPU may go changed, or why
  alert_fired,           ///< an alert is raised
  alert_resolved,        ///< one is over
  alert_acknowledged,    ///< somebody takes care of one
  alert_unacknowledged,  ///< nobody does any more
  fault,                 ///< something went wrong, for the first time or again
  lease_granted,         ///< memory was booked
  lease_draining,        ///< a lease is over, and its memory is still in use
  lease_ended,           ///< it is over
  lease_leaked,          ///< it is over for long, and its memory is still in use
  lease_overused,        ///< more than its most is in use
  lease_overuse_over,    ///< no longer
};

/// "alert.fired".
std::string_view to_string(EventType type);

/// All of them.
std::span<const EventType> event_types();

/// Some of them.
class EventTypes {
 public:
  static EventTypes all();

  void add(EventType type) { bits_ |= bit(type); }
  bool has(EventType type) const { return (bits_ & bit(type)) != 0; }
  friend bool operator==(EventTypes, EventTypes) = default;

 private:
  static constexpr std::uint32_t bit(EventType type) { return 1U << static_cast<unsigned>(type); }

  std::uint32_t bits_ = 0;
};

/// Names of types and groups with commas between them: "alert,lease.granted". Foreign input.
/// Errors: invalid_argument, which lists the names.
Result<EventTypes> parse_event_types(std::string_view names);

}  // namespace gpukeeper::events
