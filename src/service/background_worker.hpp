#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace gpukeeper::service {

/// Runs what takes long (to read a day of history is a second's work) on one thread of its own, in order: the server's
/// thread stays free for everybody else, and no more than one core is ever busy with it.
///
/// Threads: post() may be called from any.
class BackgroundWorker {
 public:
  static constexpr std::size_t kMost = 16;  ///< that wait

  BackgroundWorker();
  /// Waits for the work that was begun; what waits is dropped.
  ~BackgroundWorker() = default;

  /// Whether it was taken. `work` must not throw.
  [[nodiscard]] bool post(std::function<void()> work);

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any news_;
  std::deque<std::function<void()>> waiting_;  // guarded by mutex_
  std::jthread thread_;                        // last: it uses all of the others
};

}  // namespace gpukeeper::service
