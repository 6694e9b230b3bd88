#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/history.hpp"
#include "telemetry/state.hpp"

namespace gpukeeper {

enum class TrendDirection { rising, falling, stable };

std::string_view to_string(TrendDirection direction);

/// What counts as what, in the unit of the values: these are for degrees.
struct TrendRules {
  double moves = 1;   ///< rising or falling: the straight line changes by at least this over the time that it covers
  double steady = 5;  ///< is_stable: the values lie less than this apart
  double spike = 5;   ///< a value that stands so far from the middle of the five around it is no trend
  std::chrono::nanoseconds gap = std::chrono::seconds(60);  ///< what was before so long a silence says nothing of now
};

/// Where a series of values is going.
///
/// Spikes are left out: a sensor that errs for a moment turns nothing round, and was never that hot. The direction is
/// that of the line of least squares through the values since the last long gap, so a device that was away and came
/// back cool is not falling, and since it last turned: what rose for minutes and falls now is falling.
struct Trend {
  std::size_t count = 0;  ///< of all values
  double current = 0;     ///< the last, whatever it is: two more will tell whether it is a spike
  double min = 0;
  double max = 0;
  double avg = 0;
  TrendDirection direction = TrendDirection::stable;
  bool is_stable = true;
  bool uneven = false;                  ///< up and down without a direction, which is stable then
  double per_minute = 0;                ///< slope of the line
  std::chrono::nanoseconds covered{0};  ///< by the line
  std::size_t spikes = 0;               ///< values left out
};

/// The values without those that stand farther than `distance` from the middle of the five around them.
std::vector<TimedValue> without_spikes(std::span<const TimedValue> values, double distance);

/// The trend of values in order of time; nothing when there are none. With a single one it is stable.
std::optional<Trend> trend_of(std::span<const TimedValue> values, const TrendRules& rules = {});

/// How long until a rising trend reaches `limit` at its slope; nothing when it does not rise, is there already, or
/// would take longer than a day, of which a slope says nothing.
std::optional<std::chrono::nanoseconds> time_until(const Trend& trend, double limit);

/// The next temperature above the present one at which something happens.
struct TrendLimit {
  double celsius = 0;
  std::string_view name;  ///< "throttle" (the configured temp_throttle) or "slowdown" (by the hardware)
};

struct TemperatureTrend {
  Trend trend;
  std::string_view metric = {};                   ///< the edge of the die, or its hottest point where there is no edge
  std::vector<TimedValue> values;                 ///< that it was found in, spikes left out
  std::optional<TrendLimit> limit;                ///< nothing when the device is above all that are known
  std::optional<std::chrono::nanoseconds> until;  ///< the limit, at this slope
};

/// The trend of a device's temperature over the last `window` of its history, by the monotonic clock.
/// Errors: not_found when no temperature is stored, or none was measured in that time, or in the last minute of it
/// (TrendRules::gap): a sensor that is silent, or of a device that is lost, says nothing of now.
Result<TemperatureTrend> temperature_trend(const History& history, const DeviceId& device,
                                           std::chrono::nanoseconds window, const Thresholds& thresholds);

}  // namespace gpukeeper
