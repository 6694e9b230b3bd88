#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "events/event.hpp"

namespace gpukeeper::events {

/// The latest events, numbered one after the other.
///
/// Snapshots follow each other every second and are large, and each takes the place of the one before, so that only the
/// latest are kept; what happens beside them is kept for hours. Of a forgotten event its type and its devices are still
/// known for a while: who missed it is told so.
///
/// Threads: one.
class EventRing {
 public:
  static constexpr std::size_t kEvents = 8192;            ///< of which something is known: two hours at one a second
  static constexpr std::size_t kSnapshots = 16;           ///< that are kept
  static constexpr std::size_t kBytes = 2 * 1024 * 1024;  ///< of what all others say

  /// `before`: the number before the first. Numbers go on over restarts where it is the time of the start in
  /// microseconds, so that one of an earlier start is known as such.
  explicit EventRing(std::uint64_t before) : before_(before) {}

  void add(Happening happening);
  void add(std::shared_ptr<const Snapshot> snapshot);

  /// The number before this start's first event.
  std::uint64_t before() const { return before_; }
  /// The latest number; before() when there is none.
  std::uint64_t last() const { return front_ + events_.size() - 1; }
  /// The first of which something is known; last() + 1 when there is none.
  std::uint64_t first() const { return front_; }

  /// Of first() to last(). It lives until the next add().
  Event& at(std::uint64_t id) { return *events_[id - front_]; }

  /// The number before the latest snapshot, or last() where there is none: who begins here sees how all is now.
  std::uint64_t before_latest_snapshot() const;

 private:
  void push(std::unique_ptr<Event> event);
  void forget_old();

  const std::uint64_t before_;
  std::uint64_t front_ = before_ + 1;  // number of events_.front()
  std::deque<std::unique_ptr<Event>> events_;
  std::deque<std::uint64_t> snapshots_;   // those that are kept
  std::deque<std::uint64_t> happenings_;  // as well
  std::size_t bytes_ = 0;                 // of these
};

}  // namespace gpukeeper::events
