#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "cli/lease_desk.hpp"
#include "cli/run_meter.hpp"
#include "core/clock.hpp"

namespace gpukeeper::cli {

/// A lease that a command runs under.
struct RunLease {
  std::string id;
  std::string device;
};

/// Looks at the booked GPUs once a second while a command runs, on a thread of its own: a driver that hangs holds up
/// neither the command nor its signals.
class RunWatch {
 public:
  using OpenDesk = std::function<Result<std::unique_ptr<LeaseDesk>>()>;

  /// `open` is called on the thread. `clock` outlives this.
  RunWatch(OpenDesk open, std::vector<RunLease> leases, const Clock& clock);

  /// How fast the governor wants work to go on the slowest of these GPUs; 1 where nobody says.
  double speed() const { return speed_; }

  /// Takes a last look and ends the thread.
  RunUse end();

 private:
  void run(const std::stop_token& stop);
  void look(LeaseDesk& desk, bool running);

  const OpenDesk open_;
  const std::vector<RunLease> leases_;
  const Clock& clock_;
  std::atomic<double> speed_ = 1;
  RunMeter meter_;       // of the thread, and after its end of end()
  std::jthread thread_;  // last: it uses all of the others
};

/// Whether a command that is to go at this speed stands still at that moment: of each second it goes for the speed's
/// part. 1 never stands still, 0 always does.
bool stands_still(double speed, std::chrono::nanoseconds since_start);

}  // namespace gpukeeper::cli
