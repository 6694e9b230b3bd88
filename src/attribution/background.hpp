#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

namespace gpukeeper {

/// A thread of its own for one job at a time, which may hang in the kernel for as long as it likes: it holds up neither
/// who starts it nor the end of the program.
///
/// The thread is made with the first job. Threads: start() and wait() belong to one thread.
class Background {
 public:
  /// Makes a thread that runs a function; throws std::system_error when the machine gives no more of them.
  using MakeThread = std::function<std::thread(std::function<void()>)>;

  Background() : Background([](std::function<void()> body) { return std::thread(std::move(body)); }) {}
  explicit Background(MakeThread make_thread);
  /// A job that runs gets a moment to end; one that does not is let go, so it must own all that it touches.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Starts the job; false when one is still running or no thread can be had, and then the job is dropped.
  bool start(std::function<void()> job);

  /// Returns when no job runs any more, or when the patience ends; whether none runs.
  bool wait(std::chrono::nanoseconds patience);

 private:
  struct State;

  const MakeThread make_thread_;
  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace gpukeeper
