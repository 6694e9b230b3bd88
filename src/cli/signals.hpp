#pragma once

#include "core/clock.hpp"

namespace gpukeeper::cli {

/// What a command that goes on for ever waits for.
class Interrupts {
 public:
  enum class Event { due, resized, stop, suspend };
  virtual ~Interrupts() = default;

  /// Waits until that time or until something happens.
  virtual Event wait_until(MonotonicTime until) = 0;

  /// Stops this process as Ctrl-Z does; returns when it was continued.
  virtual void suspend() = 0;
};

/// Waits until that time, suspended meanwhile if asked; false when asked to stop before it.
bool wait_until_due(Interrupts& interrupts, MonotonicTime due);

/// SIGINT, SIGTERM and SIGHUP stop, SIGWINCH resizes, SIGTSTP suspends. They are blocked while this lives, and taken
/// one at a time: no handler runs, no system call is interrupted. Threads: make it before any thread that lives as
/// long, for threads inherit the block; use it from one.
class SignalInterrupts final : public Interrupts {
 public:
  explicit SignalInterrupts(const Clock& clock);
  ~SignalInterrupts() override;
  SignalInterrupts(const SignalInterrupts&) = delete;
  SignalInterrupts& operator=(const SignalInterrupts&) = delete;

  Event wait_until(MonotonicTime until) override;
  void suspend() override;

 private:
  const Clock& clock_;
};

}  // namespace gpukeeper::cli
