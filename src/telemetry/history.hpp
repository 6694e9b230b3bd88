#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "telemetry/history_block.hpp"
#include "telemetry/history_settings.hpp"
#include "telemetry/snapshot.hpp"
#include "telemetry/state.hpp"

namespace gpukeeper {

/// A row of the documented history: what one device did at one moment.
struct HistorySample {
  MonotonicTime at;
  WallTime wall;
  std::uint32_t index = 0;
  Metric<double> load_percent = missing(Missing::not_supported);
  Metric<double> memory_percent = missing(Missing::not_supported);
  Metric<double> temperature_celsius = missing(Missing::not_supported);
  State state = State::unavailable;  ///< that this reading shows, by itself
};

/// What a metric did in one piece of time.
struct HistoryBucket {
  std::size_t count = 0;  ///< samples
  double min = 0;
  double avg = 0;
  double max = 0;
  double last = 0;
  friend bool operator==(const HistoryBucket&, const HistoryBucket&) = default;
};

/// A metric over a range of time, in pieces of equal length. A piece without a sample is nothing: not zero.
struct HistoryRange {
  MonotonicTime from;
  std::chrono::nanoseconds step{0};
  std::vector<std::optional<HistoryBucket>> buckets;  ///< bucket n is [from + n * step, from + (n + 1) * step)
};

/// Sums values (in order of time) up in buckets of `step` (above 0) from `from` to before `to`.
HistoryRange sum_up(std::span<const TimedValue> values, MonotonicTime from, MonotonicTime to,
                    std::chrono::nanoseconds step);

/// From value to value, but for a tenth of them that come later: no bucket should be shorter. Zero below two values.
std::chrono::nanoseconds pace_of(std::span<const TimedValue> values);

/// What a history holds, for people.
struct HistoryFacts {
  std::size_t bytes = 0;    ///< of memory
  std::size_t devices = 0;  ///< physical ones and partitions
  std::size_t samples = 0;  ///< ticks of a device
  std::optional<MonotonicTime> oldest;
};

/// What every device did, back to some time ago: the documented list of samples, and many metrics at the sampler's pace
/// for a day, packed to few bytes a value.
///
/// Only what was measured is kept: a device that sleeps, hangs or has gone leaves a gap, and so does a tick that only
/// repeats an older reading. A device that comes back (by its id) goes on where it was; one that does not is forgotten
/// with its last sample. Numbers are kept as finely as sensors are (device/resolution.hpp).
///
/// Threads: add() and what else changes it belong to one thread, the sampler's, but for resize(); all const members may
/// be called from any. Locks are held for microseconds: what is packed is packed and read outside of them.
class History {
 public:
  explicit History(HistorySettings settings = {});
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// Takes what is new in a snapshot. One that is not later than the one before is left out.
  void add(const Snapshot& snapshot);

  /// From now on these lengths hold, at once; its metrics are not looked at. From any thread.
  void resize(const HistorySettings& settings);
  HistorySettings settings() const;

  /// The documented list of a device, oldest first: the last `limit` of it; all with 0. Empty for one that is unknown.
  std::vector<HistorySample> samples(const DeviceId& device, std::size_t limit = 0) const;

  /// The names of what is stored, in the order of the settings.
  std::vector<std::string_view> metrics() const;

  /// The values of a metric in [from, to), oldest first; empty for a device that is unknown.
  /// Errors: not_found for a metric that is not stored; the message names those that are.
  Result<std::vector<TimedValue>> values(const DeviceId& device, std::string_view metric, MonotonicTime from,
                                         MonotonicTime to = MonotonicTime::max()) const;

  /// As values(), in buckets. Errors: as for values; invalid_argument for a step or a range that is not above 0, or
  /// more than kMostBuckets of them.
  Result<HistoryRange> range(const DeviceId& device, std::string_view metric, MonotonicTime from, MonotonicTime to,
                             std::chrono::nanoseconds step) const;
  static constexpr std::size_t kMostBuckets = 100'000;

  /// The time of the latest snapshot, by both clocks; nothing before the first.
  struct Now {
    MonotonicTime at;
    WallTime wall;
  };
  std::optional<Now> now() const;

  HistoryFacts facts() const;

 private:
  struct DeviceHistory;
  using Devices = std::map<DeviceId, std::unique_ptr<DeviceHistory>>;
  using Garbage = std::vector<std::shared_ptr<const HistoryBlock>>;  // freed when the lock is let go

  void add_device(const Snapshot& snapshot, const DeviceSnapshot& device);
  DeviceHistory& history_of(const DeviceId& id);
  void note_sample(DeviceHistory& history, const Snapshot& snapshot, const DeviceSnapshot& device);
  void note_row(DeviceHistory& history, const Snapshot& snapshot, const DeviceSnapshot& device);
  void seal(DeviceHistory& history);
  void sweep(MonotonicTime now);
  void drop_old(MonotonicTime now, Garbage& garbage);
  void drop_above_limit(Garbage& garbage);
  std::optional<std::size_t> position(std::string_view metric) const;

  std::vector<StoredMetric> metrics_;  // fixed
  HistoryRow row_;                     // of the thread that adds: made once
  std::size_t adds_ = 0;               // of that thread

  mutable std::mutex mutex_;
  HistorySettings settings_;  // guarded by mutex_, as all below
  Devices devices_;           // changed by the thread that adds only, which therefore reads it without the lock
  std::optional<Now> now_;
  std::size_t packed_bytes_ = 0;
};

}  // namespace gpukeeper
