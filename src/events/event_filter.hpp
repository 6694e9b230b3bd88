#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "events/event_type.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::events {

/// Whom an event is written for. Two with the same filter and the same rights get the same bytes.
struct EventFilter {
  EventTypes types = EventTypes::all();
  std::vector<std::string> devices;  ///< ids, in order, each once; empty: whatever it is about
  bool command_lines = false;        ///< whether those of processes are told

  /// Whether it is about what is wanted. What is about the machine as a whole is about no single GPU.
  bool fits(EventType type, const std::vector<std::string>& about) const;

  friend bool operator==(const EventFilter&, const EventFilter&) = default;
};

/// The ids of the devices that the selectors name, with commas between them: index, UUID or PCI address.
/// Errors: those of select_devices.
Result<std::vector<std::string>> parse_event_devices(const std::string& selectors, const Snapshot& snapshot);

}  // namespace gpukeeper::events
