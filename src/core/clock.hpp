#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

namespace gpukeeper {

using MonotonicTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

/// Where time comes from. Durations and deadlines use now(); only what a person reads uses wall().
/// Threads: every member may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual MonotonicTime now() const = 0;
  virtual WallTime wall() const = 0;

  /// Returns when `until` is reached or when a stop is requested, whichever is first.
  virtual void sleep_until(MonotonicTime until, std::stop_token stop) = 0;

  /// Waits for something that this clock's time brings about: returns true when `holds` has become false, and false
  /// when a stop is requested before. `holds` is asked on the calling thread and may ask the clock. Here it is asked
  /// every 5 ms of real time, as a clock that is moved by hand cannot wake anyone.
  virtual bool wait_while(const std::function<bool()>& holds, std::stop_token stop) const;
};

/// The machine's own clocks.
class SystemClock final : public Clock {
 public:
  MonotonicTime now() const override;
  WallTime wall() const override;
  void sleep_until(MonotonicTime until, std::stop_token stop) override;
};

}  // namespace gpukeeper
