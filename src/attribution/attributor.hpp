#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "attribution/background.hpp"
#include "attribution/process_watch.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

struct AttributorOptions {
  std::chrono::nanoseconds period = std::chrono::seconds(2);
  /// How long complete() may wait for a look that it starts; zero for never.
  std::chrono::nanoseconds patience{0};
  /// After the first look at a process comes a second one for its processor share, where complete() may wait for it;
  /// max() for none. CpuShare takes no shorter time.
  std::chrono::nanoseconds second_look = std::chrono::milliseconds(10);
  Background::MakeThread make_thread = nullptr;  ///< for tests; null for real threads
};

/// Completes snapshots with who the processes on their devices are.
///
/// The looking is done on a thread of its own, as a read in /proc can block on a process that hangs in the kernel. A
/// look is started when one is due or when a process is new, and only when the one before has ended; snapshots get what
/// the last finished one found. Where no living machine is looked at nothing can block, and there is no thread.
///
/// Threads: complete() belongs to one thread.
class Attributor {
 public:
  /// `machine` is null where no device is of a living machine.
  Attributor(std::shared_ptr<const Files> machine, std::shared_ptr<Clock> clock,
             std::shared_ptr<const Classifier> classifier, AttributorOptions options = {});

  /// Sets who and who_reason of the snapshot.
  void complete(Snapshot& snapshot);

 private:
  struct Core;

  bool due(const std::vector<DeviceProcesses>& devices);
  void look(std::vector<DeviceProcesses> devices);
  void wait_for_shares(const std::vector<DeviceProcesses>& devices, MonotonicTime until);

  const std::shared_ptr<Clock> clock_;
  const AttributorOptions options_;
  const std::shared_ptr<Core> core_;          // shared with the job that runs
  const bool alone_;                          // nothing can block
  std::vector<ProcessTable::Key> looked_at_;  // in the last look that was started
  MonotonicTime looked_{};
  bool started_ = false;
  Background background_;
};

}  // namespace gpukeeper
