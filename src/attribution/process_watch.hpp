#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attribution/busy_time.hpp"
#include "attribution/cpu_share.hpp"
#include "attribution/process_reader.hpp"
#include "classify/classifier.hpp"
#include "device/gpu_process.hpp"
#include "device/process_facts.hpp"

namespace gpukeeper {

/// The processes on one device, and whether they are this machine's, to be looked up there.
struct DeviceProcesses {
  DeviceId device;
  bool living = false;
  std::shared_ptr<const std::vector<GpuProcess>> processes;  ///< never null
};

/// Who the processes are, and what hides more of it.
struct Attribution {
  std::shared_ptr<const ProcessTable> table = std::make_shared<const ProcessTable>();  ///< never null
  std::string reason;  ///< a sentence: what is not seen and how to grant it; empty when all is seen
};

/// Looks again and again at the processes that devices name, and at no others but their forebears.
///
/// A look costs one small file a process (10 µs); who it is, which is seven more, is read when the process is new or
/// has called another program, and else every kIdentityPeriod. A process is its pid and its start: a pid that was given
/// again begins anew. Processes of a simulated or recorded machine are never looked up; what their source says of them
/// stands.
///
/// Threads: one at a time; a look may block on a process that hangs in the kernel.
class ProcessWatch {
 public:
  /// How soon an exec that changes neither name nor addresses is noticed, a move to another cgroup, a new user name.
  static constexpr std::chrono::seconds kIdentityPeriod{30};

  /// `machine`: whose /proc to read; null where no device is of a living machine. `clocks`: null where pids are not
  /// counted as this process counts.
  ProcessWatch(const Files* machine, const CpuClocks* clocks, const Classifier& classifier);

  /// Who the processes are now. A process that is gone is not in the table.
  Attribution look(const std::vector<DeviceProcesses>& devices, MonotonicTime now);

 private:
  using Facts = std::shared_ptr<const ProcessFacts>;

  /// A process of this machine.
  struct Living {
    std::uint64_t start_ticks = 0;
    std::string name;   // as it was called,
    std::string image;  // and where its program lay, when its identity was read
    MonotonicTime identity_at{};
    ProcessFacts facts;
    CpuShare cpu;
    BusyTime busy;
    std::optional<std::chrono::seconds> busy_for;
    Facts published;
    bool asked = false;
  };
  /// A process of which its source tells.
  struct Told {
    Facts source;  // as it was told
    Facts judged;  // and with a classification
    ProcessType type;
    BusyTime busy;
    MonotonicTime judged_at{};
    bool asked = false;
  };

  Facts look_up(const GpuProcess& process, MonotonicTime now);
  bool read_identity(Living& living, const ProcessStat& stat, const GpuProcess& process, MonotonicTime now);
  Facts absent(const GpuProcess& process, Missing reason) const;
  Facts told(const DeviceId& device, const GpuProcess& process, MonotonicTime now);
  bool hidden();
  std::string reason() const;

  const Files* machine_;
  const CpuClocks* clocks_;
  const Classifier& classifier_;
  std::optional<ProcessReader> reader_;
  bool pids_are_the_hosts_ = true;
  std::map<std::int64_t, Living> living_;
  std::map<ProcessTable::Key, Told> told_;

  // Of the look at hand.
  std::optional<bool> hides_;
  bool strangers_ = false;  // pids were met that count elsewhere
  bool concealed_ = false;  // processes were met that /proc hides
  bool closed_ = false;     // executables were met that may not be seen
};

}  // namespace gpukeeper
