#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "core/units.hpp"
#include "postgres/reading_rows.hpp"

namespace gpukeeper::postgres {

/// Ticks that wait for the database, in memory: above `most` bytes the oldest go, but for those that are on their way.
/// Threads: any; one at a time takes and ends batches.
class Spool {
 public:
  using Batch = std::vector<std::shared_ptr<const Tick>>;

  explicit Spool(Bytes most) : most_(most.value()) {}

  /// Numbers it: from 1 on, one more each.
  void put(Tick tick);

  /// The oldest ones, at least one where any waits, and no more than come to `most_bytes`. They are on their way until
  /// done() or back().
  Batch take(std::size_t most_bytes);

  /// All of them to this number have arrived, or are given up.
  void done(std::uint64_t number);

  /// They are not on their way any more.
  void back();

  struct Figures {
    std::uint64_t waiting = 0;
    std::uint64_t bytes = 0;
    std::uint64_t dropped = 0;  ///< for want of room
  };
  Figures figures() const;

 private:
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const Tick>> ticks_;  // guarded by mutex_, as all below
  std::uint64_t last_number_ = 0;
  std::size_t on_their_way_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace gpukeeper::postgres
