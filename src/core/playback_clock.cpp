#include "core/playback_clock.hpp"

#include <algorithm>
#include <utility>

namespace gpukeeper {
namespace {

WallTime::duration since_epoch(MonotonicTime time) {
  return std::chrono::duration_cast<WallTime::duration>(time.time_since_epoch());
}

// Who comes later than this was stopped or suspended: what was missed is not played faster afterwards.
constexpr auto kTooLate = std::chrono::seconds(1);

}  // namespace

PlaybackClock::PlaybackClock(std::shared_ptr<Clock> real, std::optional<double> speed)
    : real_(std::move(real)),
      speed_(speed),
      now_(real_->now().time_since_epoch().count()),
      moved_at_(real_->now()),
      wall_offset_(0) {
  set_wall(real_->wall());
}

WallTime PlaybackClock::wall() const {
  return WallTime(since_epoch(now()) + WallTime::duration(wall_offset_.load()));
}

void PlaybackClock::set_wall(WallTime now_there) {
  wall_offset_.store((now_there.time_since_epoch() - since_epoch(now())).count());
}

MonotonicTime PlaybackClock::real_time_of(MonotonicTime time) const {
  if (!speed_) return moved_at_;
  const std::chrono::duration<double, MonotonicTime::period> ahead = std::max(time - now(), MonotonicTime::duration(0));
  return moved_at_ + std::chrono::duration_cast<MonotonicTime::duration>(ahead / *speed_);
}

void PlaybackClock::sleep_until(MonotonicTime until, std::stop_token stop) {
  if (speed_) real_->sleep_until(real_time_of(until), stop);
  if (!stop.stop_requested()) move_to(until);
}

void PlaybackClock::move_to(MonotonicTime time) {
  const auto due = real_time_of(time);
  const auto real_now = real_->now();
  // A little too late is made up for; who moves too early, as to skip something, goes on from there.
  moved_at_ = due <= real_now && real_now - due < kTooLate ? due : real_now;
  const std::scoped_lock lock(mutex_);
  now_.store(std::max(now(), time).time_since_epoch().count());
  // All look anew whether what they wait for has come; until each has, none counts as waiting.
  ++moves_;
  waiting_ = 0;
  moved_.notify_all();
}

bool PlaybackClock::wait_while(const std::function<bool()>& holds, std::stop_token stop) const {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (over_ || stop.stop_requested()) return false;
    const auto seen = moves_;
    lock.unlock();
    const bool still = holds();
    lock.lock();
    if (!still) return true;
    if (seen != moves_) continue;
    ++waiting_;
    settled_.notify_all();
    moved_.wait(lock, stop, [&] { return moves_ != seen || over_; });
    if (moves_ == seen) --waiting_;
  }
}

void PlaybackClock::await(const std::function<bool(std::size_t)>& settled) {
  std::unique_lock lock(mutex_);
  settled_.wait(lock, [&] { return settled(waiting_); });
}

void PlaybackClock::nudge() {
  const std::scoped_lock lock(mutex_);
  settled_.notify_all();
}

void PlaybackClock::end_waits() {
  const std::scoped_lock lock(mutex_);
  over_ = true;
  moved_.notify_all();
}

}  // namespace gpukeeper
