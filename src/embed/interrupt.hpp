#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace gpukeeper::embed {

/// Ends all waiting in a keeper that is being closed, and wakes who waits for something in it.
/// Threads: every member may be called from any.
class Interrupt {
 public:
  /// Nobody waits any more, now and from now on.
  void raise() {
    {
      std::scoped_lock lock(mutex_);
      raised_ = true;
      changed_.notify_all();
    }
    stop_.request_stop();
  }
  /// For who waits for something else, such as a daemon's answer.
  std::stop_token token() const { return stop_.get_token(); }

  bool raised() const {
    std::scoped_lock lock(mutex_);
    return raised_;
  }

  /// Does that, and has everybody look whether it is what he waits for.
  template <class Change>
  void tell(const Change& change) {
    std::scoped_lock lock(mutex_);
    change();
    changed_.notify_all();
  }

  /// Waits until that holds, no longer than so; whether it does. It is asked under the lock under which tell() changes.
  template <class Holds>
  bool wait(std::chrono::nanoseconds time, const Holds& holds) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [&] { return raised_ || holds(); });
    return holds();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;  // guarded by mutex_
  std::stop_source stop_;
};

}  // namespace gpukeeper::embed
