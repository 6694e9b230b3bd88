#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "device/metric_table.hpp"
#include "telemetry/compressed_series.hpp"

namespace gpukeeper {

/// A metric's value at a moment; of the monotonic clock, to the millisecond.
struct TimedValue {
  MonotonicTime at;
  double value = 0;
  friend bool operator==(const TimedValue&, const TimedValue&) = default;
};

/// One metric that is stored.
struct StoredMetric {
  const MetricRow* row = nullptr;
  bool whole = false;  ///< a whole number of 64 bits; else a real one
};

/// One device at one tick: a word for each stored metric, and which of them are there.
struct HistoryRow {
  std::chrono::milliseconds at{0};
  std::uint64_t present = 0;         // a bit for each metric, the first lowest
  std::vector<std::uint64_t> words;  // whole numbers, or the bits of real ones
};

/// The ticks of one device that came last, as they are: cheap to append to, and packed when there are enough.
/// Threads: none of its own; History guards it.
class OpenBlock {
 public:
  explicit OpenBlock(std::size_t metrics) : metrics_(metrics) {}

  void add(const HistoryRow& row);
  void clear();
  /// Gives the memory back too.
  void release();

  std::size_t size() const { return times_.size(); }
  std::size_t bytes() const;
  std::optional<std::chrono::milliseconds> last() const;
  std::span<const std::chrono::milliseconds> times() const { return times_; }
  std::optional<std::uint64_t> word(std::size_t tick, std::size_t metric) const;

  /// Appends the values of a metric in [from, to), oldest first.
  void read(std::size_t metric, bool whole, MonotonicTime from, MonotonicTime to, std::vector<TimedValue>& out) const;

  static constexpr std::size_t kTicks = 256;  ///< how long a block usually is

 private:
  std::size_t metrics_;
  std::vector<std::chrono::milliseconds> times_;
  std::vector<std::uint64_t> present_;
  std::vector<std::uint64_t> words_;  // a tick's words beside each other
};

/// Some minutes of one device, packed; immutable, so that readers share it. All metrics share one column of times.
class HistoryBlock {
 public:
  /// Of a block with at least one tick.
  HistoryBlock(const OpenBlock& open, std::span<const StoredMetric> metrics);

  std::chrono::milliseconds first() const { return first_; }
  std::chrono::milliseconds last() const { return last_; }
  std::size_t size() const { return size_; }
  /// What it takes in memory.
  std::size_t bytes() const;
  /// What one metric takes of it.
  std::size_t bytes_of(std::size_t metric) const { return ends_[metric + 1] - ends_[metric]; }

  void read(std::size_t metric, bool whole, MonotonicTime from, MonotonicTime to, std::vector<TimedValue>& out) const;

 private:
  std::span<const std::uint8_t> column(std::size_t index) const;

  std::chrono::milliseconds first_;
  std::chrono::milliseconds last_;
  std::size_t size_;
  PackedBytes packed_;               // the times, then metric after metric
  std::vector<std::uint32_t> ends_;  // of each of these in packed_
};

}  // namespace gpukeeper
