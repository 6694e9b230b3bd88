#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "telemetry/history.hpp"
#include "telemetry/leak_watch.hpp"
#include "telemetry/snapshot.hpp"
#include "telemetry/trend.hpp"

// Where the devices' temperatures are going, and which processes only grow, as it leaves the program.
namespace gpukeeper {

struct TrendView {
  static constexpr std::size_t kRecent = 40;

  struct DevicePart {
    std::string index;  ///< "0"
    std::string id;
    std::string name;
    bool simulated = false;
    bool recorded = false;
    std::optional<TemperatureTrend> trend;      ///< without its values
    std::vector<std::optional<double>> recent;  ///< these, averaged in at most kRecent pieces of equal time
    std::string reason;                         ///< a sentence: why there is no trend
    std::chrono::nanoseconds seen{0};           ///< from the first of these readings to the last
  };

  WallTime taken_at{};  ///< of the latest reading
  std::string host;
  std::chrono::minutes window{0};
  std::vector<DevicePart> devices;
  std::vector<LeakSuspect> leaks;
};

/// Gathers the trends of the chosen devices (selectors; empty for all) over the last minutes, towards the thresholds
/// that the snapshot says hold for each.
/// Errors: not_found for a device that there is not.
Result<TrendView> gather_trends(const History& history, const Snapshot& snapshot, const std::vector<LeakSuspect>& leaks,
                                const std::vector<std::string>& devices, std::chrono::minutes window);

/// "64.2 °C, rising 1.2 °C/min; at this pace 85 °C in 17 min"; "C" without UTF-8.
std::string trend_sentence(const TemperatureTrend& trend, bool utf8 = true);

/// "python3 (pid 42) keeps growing on GPU 0: 1.8 GiB an hour, 12.1 GiB now; its memory is full in 3 h"
std::string leak_sentence(const LeakSuspect& suspect);

/// What trend_json wrote, read again: for who shows what a daemon answered.
/// Errors: internal for anything else.
Result<TrendView> parse_trends(std::string_view json);

/// Per device the documented keys: duration_minutes, sample_count, current_temp, min_temp, max_temp, avg_temp, trend
/// and is_stable; and the slope, the next limit, the time until it, and the values of late. Null values where nothing
/// was measured.
std::string trend_json(const TrendView& view, bool indented);

/// The JSON Schema (2020-12) of that document.
std::string trend_schema();

}  // namespace gpukeeper
