#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "core/result.hpp"
#include "engine/engine.hpp"

namespace gpukeeper::service {

/// An engine in a thread of its own, opened, run and taken down there: a driver that hangs in any of the three holds up
/// nobody else.
///
/// Threads: every member may be called from any thread.
class EngineThread {
 public:
  using Open = std::function<Result<std::unique_ptr<Engine>>()>;

  explicit EngineThread(Open open);
  /// Asks it to stop. A thread that hangs in a driver cannot be joined: it is let go, with all that it uses.
  ~EngineThread();
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  /// Whether it was opened; nothing while that is not known.
  std::optional<Result<void>> opened() const;

  /// The latest; never null, empty before the first.
  std::shared_ptr<const Snapshot> snapshot() const;

  /// As Engine::post. Whether it was taken: false too when there is no engine yet, or no more.
  [[nodiscard]] bool post(CommandQueue::Command command);

  void ask_to_stop();

  /// Whether it has ended within that time, its files closed.
  bool wait(std::chrono::nanoseconds time);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gpukeeper::service
