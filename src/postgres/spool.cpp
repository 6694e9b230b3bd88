#include "postgres/spool.hpp"

#include <utility>

namespace gpukeeper::postgres {

void Spool::put(Tick tick) {
  const std::scoped_lock lock(mutex_);
  tick.number = ++last_number_;
  bytes_ += tick.bytes();
  ticks_.push_back(std::make_shared<const Tick>(std::move(tick)));
  while (bytes_ > most_ && ticks_.size() > on_their_way_ + 1) {  // the newest has room, however large it is
    const auto oldest = ticks_.begin() + static_cast<std::ptrdiff_t>(on_their_way_);
    bytes_ -= (*oldest)->bytes();
    ticks_.erase(oldest);
    ++dropped_;
  }
}

Spool::Batch Spool::take(std::size_t most_bytes) {
  const std::scoped_lock lock(mutex_);
  Batch batch;
  std::size_t bytes = 0;
  for (const auto& tick : ticks_) {
    bytes += tick->bytes();
    if (!batch.empty() && bytes > most_bytes) break;
    batch.push_back(tick);
  }
  on_their_way_ = batch.size();
  return batch;
}

void Spool::done(std::uint64_t number) {
  const std::scoped_lock lock(mutex_);
  on_their_way_ = 0;
  while (!ticks_.empty() && ticks_.front()->number <= number) {
    bytes_ -= ticks_.front()->bytes();
    ticks_.pop_front();
  }
}

void Spool::back() {
  const std::scoped_lock lock(mutex_);
  on_their_way_ = 0;
}

Spool::Figures Spool::figures() const {
  const std::scoped_lock lock(mutex_);
  return {ticks_.size(), bytes_, dropped_};
}

}  // namespace gpukeeper::postgres
