#pragma once

#include <string>
#include <vector>

#include "core/clock.hpp"
#include "events/event_type.hpp"

namespace gpukeeper::events {

/// Something that happened, before it has a number.
struct Happening {
  EventType type = EventType::state;
  WallTime at{};
  std::vector<std::string> devices;  ///< ids: of a partition its device's, too; empty: the machine as a whole
  std::string payload;               ///< a JSON object on one line

  friend bool operator==(const Happening&, const Happening&) = default;
};

}  // namespace gpukeeper::events
