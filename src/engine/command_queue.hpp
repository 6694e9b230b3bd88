#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

namespace gpukeeper {

/// The one way by which commands enter the engine: any thread posts them, the engine's own thread runs them, so that
/// whatever they change needs no lock.
///
/// Bounded, as who posts may be a client: when kMost of them wait, the engine stands still, and more would not help.
/// Threads: post() may be called from any; run() from the engine's only.
class CommandQueue {
 public:
  using Command = std::function<void()>;
  static constexpr std::size_t kMost = 1024;

  /// Whether it was taken.
  [[nodiscard]] bool post(Command command);

  /// Runs those that wait, in the order in which they came; what they post waits for the next call. No lock is held
  /// meanwhile. One that throws harms no other: nobody is there to hear of it, so a command tells its own errors.
  void run();

 private:
  std::mutex mutex_;
  std::vector<Command> waiting_;  // guarded by mutex_
};

}  // namespace gpukeeper
