#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "device/device.hpp"
#include "telemetry/history.hpp"

namespace gpukeeper {

/// Adds what came later to what came before, if anything did.
inline void merge(std::optional<HistoryBucket>& earlier, const HistoryBucket& later) {
  if (!earlier) {
    earlier = later;
    return;
  }
  const auto before = static_cast<double>(earlier->count), more = static_cast<double>(later.count);
  earlier->avg += (later.avg - earlier->avg) * (more / (before + more));  // as exact as both
  earlier->count += later.count;
  earlier->min = std::min(earlier->min, later.min);
  earlier->max = std::max(earlier->max, later.max);
  earlier->last = later.last;
}

/// What devices did before a History began that is kept in memory only, or further back than that reaches.
///
/// Threads: any; a call may wait for a disk.
class OlderHistory {
 public:
  virtual ~OlderHistory() = default;

  struct Query {
    DeviceId device;
    std::vector<std::string_view> metrics;  ///< names of the metric table
    WallTime from;
    WallTime to;                         ///< not included
    std::chrono::nanoseconds step{0};    ///< finer than that nobody looks
    std::optional<MonotonicTime> known;  ///< from then on it is known what this process measured
  };

  /// Called with the position of a metric in the query, when a piece of time begins, and what was measured in it.
  using Take = std::function<void(std::size_t metric, WallTime at, const HistoryBucket& bucket)>;

  /// Hands over what was measured in that time, in the order in which it was. A piece is no longer than the step where
  /// it is kept so finely. Errors: as the disk says; what was handed over until then is right.
  virtual Result<void> read(const Query& query, const Take& take) const = 0;

  /// Since when there is something; nothing where there is nothing, or it cannot be read.
  virtual std::optional<WallTime> oldest() const = 0;
};

}  // namespace gpukeeper
