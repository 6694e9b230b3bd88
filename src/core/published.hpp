#pragma once

#include <memory>
#include <mutex>

namespace gpukeeper {

/// The latest value of T: one thread publishes, any thread reads a value that will not change under it.
/// A mutex on purpose: ThreadSanitizer reports GCC 12's std::atomic<std::shared_ptr> as a race.
template <class T>
class Published {
 public:
  /// Never null: a default-made T stands there before the first publish.
  std::shared_ptr<const T> read() const {
    std::scoped_lock lock(mutex_);
    return current_;
  }

  void publish(std::shared_ptr<const T> next) {  // the old value is freed after the lock is released
    std::scoped_lock lock(mutex_);
    current_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> current_ = std::make_shared<const T>();  // guarded by mutex_
};

}  // namespace gpukeeper
