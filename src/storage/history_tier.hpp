#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/history_columns.hpp"
#include "telemetry/older_history.hpp"

// The history as it is stored: blocks of one device, each of some minutes to a day. The finest tier has the ticks as
// they were; each other sums the one before it up in pieces of time that begin where a clock on the wall strikes.
namespace gpukeeper::history_file {

using std::chrono::milliseconds;

struct Tier {
  milliseconds piece;   ///< zero: the ticks as they were
  milliseconds summed;  ///< so much of it at a time becomes a block of the next tier; of the last, nothing does
};
inline constexpr std::array<Tier, 4> kTiers{{
    {milliseconds(0), std::chrono::hours(1)},
    {std::chrono::seconds(10), std::chrono::hours(6)},
    {std::chrono::minutes(1), std::chrono::hours(24)},
    {std::chrono::hours(1), milliseconds(0)},
}};
inline constexpr std::size_t kTop = kTiers.size() - 1;

/// The latest multiple of that length since 1970 that is not after the moment.
constexpr milliseconds floor_to(milliseconds at, milliseconds length) {
  const auto rest = at % length;
  return rest < milliseconds(0) ? at - rest - length : at - rest;
}

/// The metrics of a block, in the order of its columns.
struct Layout {
  std::vector<std::string> metrics;

  /// "power_watts,memory_used_bytes", as a file has it.
  std::string text() const;
  static Layout parse(std::string_view text);
  std::optional<std::size_t> find(std::string_view metric) const;
};

/// What one device did at some moments of the monotonic clock, the earliest first; absent is absent.
struct Ticks {
  std::vector<milliseconds> times;
  std::vector<std::vector<std::optional<double>>> metrics;  ///< as many values each
};

/// A block as it stands in the file.
struct StoredBlock {
  std::int64_t id = 0;
  std::size_t tier = 0;
  milliseconds first{0};  ///< of the first piece or tick, since 1970
  milliseconds last{0};   ///< of the last one
  std::int64_t run = 0;   ///< of the program: which one measured it
  milliseconds since{0};  ///< the first one's time by the monotonic clock of that run
  std::int64_t layout = 0;
  std::size_t rows = 0;
  PackedBytes bytes;  ///< ColumnWriter's

  /// What lies between the clocks: the date is since + offset.
  milliseconds offset() const { return first - since; }
};

/// Ticks, at least one, as a block of the finest tier.
StoredBlock stored_block(const Ticks& ticks, milliseconds offset);

/// Hands over every value of a metric, the earliest first: when its piece begins, and what was measured in it.
/// False when the bytes are no such block.
using TakePiece = std::function<void(milliseconds at, const HistoryBucket&)>;
bool read_metric(const StoredBlock& block, std::size_t metric, const Layout& layout, const TakePiece& take);

/// Sums blocks of one tier up to one block of the next. They are given in order, are of one run of the program, one
/// layout and, but for some seconds, one offset.
class TierSum {
 public:
  /// `tier`: that of the sum, 1 or above.
  TierSum(std::size_t tier, Layout layout) : tier_(tier), layout_(std::move(layout)) {}

  /// False when the bytes are no such block; then nothing of it counts.
  bool add(const StoredBlock& block);

  /// Nothing when there was no value.
  std::optional<StoredBlock> block() const;

 private:
  using Piece = std::vector<std::optional<HistoryBucket>>;  // a bucket a metric

  template <class T, class Of>
  PackedBytes column(Of of) const;
  void add_metric(std::size_t metric, ColumnWriter& columns) const;

  const std::size_t tier_;
  const Layout layout_;
  std::map<milliseconds, Piece> pieces_;
  std::int64_t run_ = 0;
  std::int64_t layout_id_ = 0;
  milliseconds offset_{0};
};

}  // namespace gpukeeper::history_file
