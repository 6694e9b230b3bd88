#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "forecast/forecast.hpp"
#include "telemetry/history.hpp"
#include "telemetry/older_history.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::forecast {

/// Forecasts as they leave the program.
struct ForecastView {
  struct Limit {
    std::string name;  ///< "throttle" (temp_throttle), "slowdown" (by the hardware), "full"
    double value = 0;  ///< in the metric's unit
    Crossing crossing;
  };
  struct Ahead {
    std::chrono::seconds ahead{0};
    std::optional<Point> point;
    std::string reason;  ///< a sentence: why there is none
  };
  struct MetricPart {
    std::string metric;  ///< its name in the metric table
    std::optional<double> current;
    std::chrono::nanoseconds known{0};  ///< of the past that it stands on
    std::vector<Ahead> ahead;           ///< kHorizons
    std::vector<Limit> limits;          ///< lowest first
    std::string reason;                 ///< a sentence: why there is no forecast at all
  };
  struct DevicePart {
    std::string index;  ///< "0"
    std::string id;
    std::string name;
    bool simulated = false;
    bool recorded = false;
    std::vector<MetricPart> metrics;  ///< temperature and memory
  };

  WallTime taken_at{};  ///< of the latest reading
  std::string host;
  std::vector<DevicePart> devices;
};

/// The past that forecasts are made from, read for each device.
inline constexpr std::chrono::hours kLookBack{24};

/// Forecasts of the chosen devices (selectors; empty for all) from what the history holds, and where that does not
/// reach a day back, from what is kept longer; null where nothing is. Errors: not_found for a device that there is not.
Result<ForecastView> gather_forecasts(const History& history, const OlderHistory* older, const Snapshot& snapshot,
                                      const std::vector<std::string>& devices);

}  // namespace gpukeeper::forecast
