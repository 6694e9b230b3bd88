#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <vector>

#include "actuators/actuation.hpp"

namespace gpukeeper {

/// Two Actuations in threads of their own, as every change may wait for a driver: one for what is frozen, which no
/// driver holds up, one for all else. Each acts on the latest snapshot, and at least once a second; snapshots that came
/// meanwhile are left out.
///
/// Threads: every member may be called from any.
class ActuationThread {
 public:
  /// Each with a journal of its own.
  ActuationThread(std::unique_ptr<Actuation> freezing, std::unique_ptr<Actuation> changing);
  /// Asks it to end. A thread that hangs in a driver cannot be joined: it is let go, with all that it uses. What it
  /// holds stands in the journal, by which the next start gives it back.
  ~ActuationThread();
  ActuationThread(const ActuationThread&) = delete;
  ActuationThread& operator=(const ActuationThread&) = delete;

  /// Returns at once.
  void see(const std::shared_ptr<const Snapshot>& snapshot);
  /// Holds from the next round on. `settings` must pass check(); `fresh_for` as in Actuation::act.
  void configure(const ActuatorSettings& settings, std::chrono::nanoseconds fresh_for);

  std::vector<ActuatorReport> reports() const;

  /// From now on it gives everything back, and ends.
  void ask_to_stop();
  /// Whether it has ended within that time.
  bool wait(std::chrono::nanoseconds time);

 private:
  struct Lane;
  const std::array<std::shared_ptr<Lane>, 2> lanes_;
};

}  // namespace gpukeeper
