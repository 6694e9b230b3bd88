#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "device/device.hpp"
#include "device/metric_table.hpp"
#include "telemetry/history.hpp"
#include "telemetry/snapshot.hpp"

// A piece of the history as it leaves the program: gathered once, written as JSON, as CSV or as a page.
namespace gpukeeper {

/// What is asked for.
struct HistoryQuery {
  std::vector<std::string> metrics;              ///< empty: kUsualMetrics, where the device has them
  std::vector<std::string> devices;              ///< selectors; empty for all
  std::optional<WallTime> since;                 ///< nothing: `usual_length` ago
  std::optional<std::chrono::nanoseconds> step;  ///< of a bucket; nothing: so that there are about `usual_buckets`
  std::optional<std::chrono::nanoseconds> usual_length;  ///< nothing: all that is kept
  std::size_t usual_buckets = 300;
  std::chrono::nanoseconds pace{0};    ///< from reading to reading of what is older: no usual bucket is shorter
  std::size_t most_buckets = 200'000;  ///< of all metrics and devices
};

/// What people look at first.
inline constexpr std::string_view kUsualMetrics[] = {"temperature_celsius", "utilization_percent", "memory_used_bytes",
                                                     "power_watts"};

struct HistoryView {
  struct MetricPart {
    std::string name;
    std::string unit;
    std::vector<std::optional<HistoryBucket>> buckets;
  };
  struct DevicePart {
    std::string index;  ///< "0", or "0:1" for a partition
    std::string id;
    std::string name;
    bool simulated = false;
    bool recorded = false;
    std::vector<MetricPart> metrics;
  };

  std::string host;
  WallTime from{};  ///< of the first bucket
  WallTime to{};
  std::chrono::nanoseconds step{0};
  std::vector<DevicePart> devices;
  std::string incomplete = {};  ///< why what is older is not there; empty when all is there that was kept

  WallTime start_of(std::size_t bucket) const {
    return from + std::chrono::duration_cast<WallTime::duration>(step * static_cast<std::int64_t>(bucket));
  }
};

/// Gathers what is asked for, up to the latest snapshot. `snapshot` says which devices there are.
/// Errors: not_found for a device that there is not, or a metric that is not kept; invalid_argument for one that is
/// none, for a moment that is not past, and for too many buckets; unavailable before the first snapshot.
Result<HistoryView> gather_history(const History& history, const Snapshot& snapshot, const HistoryQuery& query);

/// With `from`, `to`, `step_seconds` and, for each device and metric, its buckets: {time, count, min, avg, max, last}.
/// One without a sample has count 0 and null values.
std::string history_json(const HistoryView& view, bool indented);

/// The JSON Schema (2020-12) of that document.
std::string history_schema();

/// What history_json wrote, read again: for who shows what a daemon answered.
/// Errors: internal for anything else.
Result<HistoryView> parse_history(std::string_view json);

/// A line for each bucket that has samples: time,index,uuid,metric,count,min,avg,max,last.
std::string history_csv(const HistoryView& view);

}  // namespace gpukeeper
