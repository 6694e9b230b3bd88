#pragma once

#include <atomic>
#include <mutex>

#include "core/clock.hpp"

namespace gpukeeper::nvml {

/// How many calls a second a physical device may take, its partitions and process lists included.
///
/// What a reading needs is always called; what can wait is asked for when there is room. What attaching cost is paid
/// back at one call a second.
/// Threads: every member from any thread.
class CallBudget {
 public:
  explicit CallBudget(double calls_per_second) : rate_(calls_per_second) {}

  void spend(int calls) { spent_.fetch_add(calls, std::memory_order_relaxed); }
  /// Takes calls that were made at once, such as those of attaching, to be paid back slowly.
  void borrow(int calls);
  /// To be called after the first reading, which asks for everything: what it took above a second's worth is borrowed.
  void begin(MonotonicTime now);
  /// Whether there is room for one more call that can wait.
  bool has_room(MonotonicTime now);

 private:
  const double rate_;
  std::atomic<int> spent_{0};
  std::mutex mutex_;
  MonotonicTime at_{};  // guarded by mutex_
  double room_ = 0;     // guarded by mutex_; negative when overdrawn
  double debt_ = 0;     // guarded by mutex_
};

}  // namespace gpukeeper::nvml
