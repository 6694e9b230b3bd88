#pragma once

#include <mutex>
#include <optional>
#include <stop_token>

#include "core/clock.hpp"

namespace gpukeeper {

/// A sleep that any thread can end, over any clock.
/// Threads: until() belongs to one; wake() may be called from any.
class WakeableSleep {
 public:
  /// Returns at that time, at a stop, or when it is woken; at once when it was woken since it last returned.
  void until(Clock& clock, MonotonicTime time, const std::stop_token& stop);

  void wake();

 private:
  std::mutex mutex_;
  bool woken_ = false;                     // guarded by mutex_
  std::optional<std::stop_source> sleep_;  // guarded by mutex_; of the sleep in progress
};

}  // namespace gpukeeper
