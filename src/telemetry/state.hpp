#pragma once

#include <string_view>

#include "core/units.hpp"
#include "device/reading.hpp"

namespace gpukeeper {

/// How a device is doing, from best to worst. `unavailable` stands outside the order: nothing is known about the
/// device.
enum class State { optimal, normal, throttled, critical, unavailable };

std::string_view to_string(State state);

/// The borders between the states: below the first optimal, below the second normal, below the third throttled, from
/// there on critical.
struct Thresholds {
  Celsius temp_optimal{65};
  Celsius temp_normal{75};
  Celsius temp_throttle{85};
  Percent memory_optimal{70};
  Percent memory_normal{85};
  Percent memory_critical{95};

  friend bool operator==(const Thresholds&, const Thresholds&) = default;
};

/// The state that one axis shows by itself. The value must be a number.
State state_of(Celsius temperature, const Thresholds& thresholds);
State state_of(Percent memory, const Thresholds& thresholds);

/// The state that one reading shows: the worse of temperature (guarding_temperature) and memory fill. An axis that the
/// device does not report is skipped; with no axis at all the state is unavailable. Pure: no memory of earlier
/// readings.
State state_of(const Reading& reading, const Thresholds& thresholds = {});

}  // namespace gpukeeper
