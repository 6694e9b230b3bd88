#pragma once

#include <atomic>

#include "core/clock.hpp"

namespace gpukeeper {

/// Time that moves only when told to. A sleep moves it to its end.
class FakeClock final : public Clock {
 public:
  MonotonicTime now() const override { return MonotonicTime(std::chrono::nanoseconds(now_.load())); }
  WallTime wall() const override {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(now_.load()) +
                                                                   std::chrono::nanoseconds(wall_offset_.load())));
  }
  void sleep_until(MonotonicTime until, std::stop_token) override {
    const auto target = std::chrono::nanoseconds(until.time_since_epoch()).count();
    if (target > now_.load()) now_.store(target);
  }
  void advance(std::chrono::nanoseconds by) { now_ += by.count(); }
  /// Somebody sets the wall clock; now() goes on.
  void set_wall(WallTime to) { wall_offset_ = std::chrono::nanoseconds(to.time_since_epoch()).count() - now_.load(); }

 private:
  std::atomic<std::int64_t> now_{std::chrono::nanoseconds(std::chrono::hours(1)).count()};
  std::atomic<std::int64_t> wall_offset_{std::chrono::nanoseconds(std::chrono::seconds(1'780'000'000)).count()};
  // 2026-05-28 in UTC
};

}  // namespace gpukeeper
