#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actuators/actuator.hpp"
#include "actuators/actuator_settings.hpp"
#include "core/files.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// A process for as long as the machine is up: another one that gets its pid began at another tick.
struct ProcessName {
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< as in ProcessStat
};

/// Signals that processes are sent.
/// Threads: every member may be called from any thread.
class Signals {
 public:
  virtual ~Signals() = default;

  /// Errors: not_found when that process has ended, though another may bear its pid; not_permitted; not_supported by a
  /// kernel without pidfds (before Linux 5.3).
  virtual Result<void> send(const ProcessName& process, int signal) = 0;
};

/// By pidfd: what was opened is looked at once more, so that no other process is ever met.
class RealSignals final : public Signals {
 public:
  /// `files`: its /proc must count as we do (pids_are_our_own).
  explicit RealSignals(std::shared_ptr<const Files> files) : files_(std::move(files)) {}
  Result<void> send(const ProcessName& process, int signal) override;

 private:
  const std::shared_ptr<const Files> files_;
};

/// The path of a process' group where there is no version 2, from the text of /proc/PID/cgroup: systemd's own
/// ("1:name=systemd:/user.slice/…"), else the first that is not the topmost.
std::optional<std::string> cgroup1_path(std::string_view cgroup);

/// Where no control groups of version 2 are mounted: an actuator for each process on the device that stops (SIGSTOP)
/// and goes on (SIGCONT), if the settings allow its group, of version 1, to be frozen and it need not run (must_run). A
/// shell that began it in the foreground sees that, as after Ctrl-Z. None where pids are not those that the driver
/// counts. `files` and `signals` must outlive them.
std::vector<std::unique_ptr<Actuator>> stoppers(const DeviceSnapshot& device, const ActuatorSettings& settings,
                                                const Files& files, Signals& signals);

/// The one of that name. Null when the process has ended, or where the name is of something else.
std::unique_ptr<Actuator> find_stopper(const ActuatorName& name, const Files& files, Signals& signals);

}  // namespace gpukeeper
