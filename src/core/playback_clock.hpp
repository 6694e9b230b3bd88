#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "core/clock.hpp"

namespace gpukeeper {

/// Time for what is made up or was recorded. It stands still while work is done, and moves only when the one who plays
/// moves it: at once, or `speed` times as fast as real time.
///
/// Why not simply a clock that runs N times as fast: at 60 x a driver's deadline of half a second is over after 8 ms,
/// and a busy machine that keeps a thread waiting for so long would make a healthy device look hung. Here a read takes
/// no time at all, however slow the machine, unless it waits for time to pass (wait_while). So the same scenario or
/// recording gives the same snapshots at every speed.
///
/// Threads: time is moved by one thread, the one that plays; every other member may be called from any.
class PlaybackClock final : public Clock {
 public:
  /// Starts at what `real` shows. `speed`: its seconds for each second of `real`, above 0; nothing: no waiting at all.
  PlaybackClock(std::shared_ptr<Clock> real, std::optional<double> speed);

  MonotonicTime now() const override { return MonotonicTime(MonotonicTime::duration(now_.load())); }
  WallTime wall() const override;

  /// For the one who plays: waits as long as it takes at this speed, then moves time there. A stop leaves it.
  void sleep_until(MonotonicTime until, std::stop_token stop) override;

  /// The rest are guests of this time: they wait for it to be moved.
  bool wait_while(const std::function<bool()>& holds, std::stop_token stop) const override;

  /// When that time comes by the real clock, for one who plays and waits for other things too; then move_to.
  MonotonicTime real_time_of(MonotonicTime time) const;
  /// Moves time there at once; never back.
  void move_to(MonotonicTime time);

  /// From now on wall() counts from this: a recording has a date of its own.
  void set_wall(WallTime now);

  /// How fast it moves; nothing for no waiting.
  std::optional<double> speed() const { return speed_; }

  /// Returns when `settled` says so, which is asked now, whenever a guest begins to wait and at every nudge(). Its
  /// argument: how many guests wait now, after they have looked at the time as it is.
  void await(const std::function<bool(std::size_t waiting)>& settled);
  void nudge();

  /// Ends all waits, those to come too, as if each had been asked to stop: the play is over.
  void end_waits();

 private:
  const std::shared_ptr<Clock> real_;
  const std::optional<double> speed_;
  std::atomic<MonotonicTime::rep> now_;
  MonotonicTime moved_at_;                  // by the real clock; of the thread that plays
  std::atomic<WallTime::rep> wall_offset_;  // wall() less now(), in the wall clock's unit

  mutable std::mutex mutex_;
  mutable std::condition_variable_any moved_;
  mutable std::condition_variable settled_;
  mutable std::size_t waiting_ = 0;  // guarded by mutex_, as all below
  std::uint64_t moves_ = 0;
  bool over_ = false;
};

}  // namespace gpukeeper
