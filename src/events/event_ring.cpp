#include "events/event_ring.hpp"

#include <utility>

namespace gpukeeper::events {

void EventRing::add(Happening happening) {
  bytes_ += happening.payload.size();
  happenings_.push_back(last() + 1);
  push(std::make_unique<Event>(last() + 1, std::move(happening)));
}

void EventRing::add(std::shared_ptr<const Snapshot> snapshot) {
  snapshots_.push_back(last() + 1);
  push(std::make_unique<Event>(last() + 1, std::move(snapshot)));
}

std::uint64_t EventRing::before_latest_snapshot() const {
  return snapshots_.empty() ? last() : snapshots_.back() - 1;
}

void EventRing::push(std::unique_ptr<Event> event) {
  events_.push_back(std::move(event));
  forget_old();
}

void EventRing::forget_old() {
  while (snapshots_.size() > kSnapshots) {
    at(snapshots_.front()).forget();
    snapshots_.pop_front();
  }
  while (bytes_ > kBytes && happenings_.size() > 1) {
    bytes_ -= at(happenings_.front()).bytes();
    at(happenings_.front()).forget();
    happenings_.pop_front();
  }
  while (events_.size() > kEvents) {
    if (!happenings_.empty() && happenings_.front() == front_) {
      bytes_ -= events_.front()->bytes();
      happenings_.pop_front();
    }
    if (!snapshots_.empty() && snapshots_.front() == front_) snapshots_.pop_front();
    events_.pop_front();
    ++front_;
  }
}

}  // namespace gpukeeper::events
