#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace gpukeeper::service {

/// Runs what takes long on threads of its own, begun in order: the server's thread stays free for everybody else. To
/// read a day of history is a second's work, so of that no more than one core is ever busy; who waits for a disk is in
/// nobody's way, and of these more threads make one flush do for several.
///
/// Threads: post() may be called from any.
class BackgroundWorker {
 public:
  static constexpr std::size_t kMost = 16;  ///< that wait, unless told otherwise

  explicit BackgroundWorker(std::size_t threads = 1, std::size_t most = kMost);
  /// Waits for the work that was begun; what waits is dropped.
  ~BackgroundWorker();

  /// Whether it was taken. `work` must not throw.
  [[nodiscard]] bool post(std::function<void()> work);

  /// How much waits.
  std::size_t waiting() const;

 private:
  void run(const std::stop_token& stop);

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  std::deque<std::function<void()>> waiting_;  // guarded by mutex_
  std::vector<std::jthread> threads_;          // last: they use all of the others
};

}  // namespace gpukeeper::service
