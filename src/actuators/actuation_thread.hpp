#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
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
  /// Waits until everything is given back. A driver that hangs makes that long: see the journal, which the next start
  /// goes by.
  ~ActuationThread();

  /// Returns at once.
  void see(std::shared_ptr<const Snapshot> snapshot);
  /// Holds from the next snapshot on. `settings` must pass check().
  void configure(ActuatorSettings settings);

  std::vector<ActuatorReport> reports() const;

 private:
  void run(const std::stop_token& stop);

  const std::unique_ptr<Actuation> actuation_;  // of the thread
  mutable std::mutex mutex_;
  std::condition_variable_any seen_;
  std::shared_ptr<const Snapshot> snapshot_;  // guarded by mutex_, as all below; null when it was acted on
  ActuatorSettings settings_;
  std::vector<ActuatorReport> reports_;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace gpukeeper
