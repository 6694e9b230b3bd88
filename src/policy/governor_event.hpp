#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What the governor tells of a device, in the order in which it tells several of one sample.
enum class GovernorEventKind {
  state_change,      ///< the governed state; before all that follow from it
  device_lost,       ///< it does not answer or has gone; a device that fell asleep is not lost
  device_recovered,  ///< a lost one is back
  critical,          ///< the state became critical
  throttle,          ///< it became throttled, and was better or unknown before; not from critical
  resume,            ///< it became normal or better, and was throttled or critical
  overheat,          ///< with a change of state: the temperature is temp_throttle or above; or it crossed temp_critical
  yield,             ///< an application that is not ours began to use it
  yield_over,        ///< and has left it
};

inline constexpr std::array kGovernorEventKinds = {
    GovernorEventKind::state_change, GovernorEventKind::device_lost, GovernorEventKind::device_recovered,
    GovernorEventKind::critical,     GovernorEventKind::throttle,    GovernorEventKind::resume,
    GovernorEventKind::overheat,     GovernorEventKind::yield,       GovernorEventKind::yield_over};

std::string_view to_string(GovernorEventKind kind);

/// The kind of that name; nothing for any other text.
std::optional<GovernorEventKind> governor_event_kind(std::string_view name);

/// Each is told once per transition of one device.
struct GovernorEvent {
  GovernorEventKind kind = GovernorEventKind::state_change;
  State old_state = State::unavailable;  ///< the governed state before; the same as the new one where it did not change
  State new_state = State::unavailable;
  std::shared_ptr<const DeviceSnapshot> device;  ///< its reading, and what the governor makes of it now; never null
  WallTime at{};
  MonotonicTime monotonic{};
  std::uint64_t sequence = 0;  ///< of the snapshot, which is published before the event is delivered
};

}  // namespace gpukeeper
