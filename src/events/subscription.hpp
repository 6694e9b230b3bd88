#pragma once

#include <cstdint>
#include <optional>

#include "events/event.hpp"
#include "events/event_filter.hpp"
#include "events/event_ring.hpp"

namespace gpukeeper::events {

/// One listener's way through the ring. It is a number and a filter: what a slow listener has not read yet is kept by
/// the ring alone, and what the ring forgets meanwhile it is told to have skipped.
///
/// Threads: one.
class Subscription {
 public:
  /// `after`: the number of the last event that it has; nothing for one that begins with the latest snapshot. The ring
  /// outlives it.
  Subscription(EventRing& ring, EventFilter filter, Form form, std::optional<std::uint64_t> after);

  /// What to send next; null while there is nothing.
  ///
  /// First comes a notice, `begin`, with the number behind which it goes on. `after` of another start than this is
  /// told by `restarted` in its place: nobody knows what happened between, and all of this start follows. `skipped`
  /// says how many events of the filter came and are no longer kept, or how many of any kind where not even that is
  /// known.
  Text next();

 private:
  Text begin();
  Text skipped();

  EventRing& ring_;
  const EventFilter filter_;
  const Form form_;
  std::optional<std::uint64_t> after_;
  std::uint64_t at_ = 0;  // the last number that was looked at
  std::uint64_t skipped_ = 0;
  bool exactly_ = true;  // those were of the filter
  bool begun_ = false;
};

}  // namespace gpukeeper::events
