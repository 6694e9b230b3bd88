#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "actuators/actuation.hpp"

namespace gpukeeper {

/// An Actuation in a thread of its own, as every change may wait for a driver. It always acts on the latest snapshot;
/// those that came meanwhile are left out.
///
/// Threads: every member may be called from any.
class ActuationThread {
 public:
  explicit ActuationThread(std::unique_ptr<Actuation> actuation);
  /// Asks it to end. A thread that hangs in a driver cannot be joined: it is let go, with all that it uses. What it
  /// holds stands in the journal, by which the next start gives it back.
  ~ActuationThread();
  ActuationThread(const ActuationThread&) = delete;
  ActuationThread& operator=(const ActuationThread&) = delete;

  /// Returns at once.
  void see(std::shared_ptr<const Snapshot> snapshot);
  /// Holds from the next snapshot on. `settings` must pass check().
  void configure(ActuatorSettings settings);

  std::vector<ActuatorReport> reports() const;

  /// From now on it gives everything back, and ends.
  void ask_to_stop();
  /// Whether it has ended within that time.
  bool wait(std::chrono::nanoseconds time);

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace gpukeeper
