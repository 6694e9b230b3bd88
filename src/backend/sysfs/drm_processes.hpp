#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "backend/sysfs/fdinfo.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/published.hpp"
#include "device/gpu_process.hpp"
#include "device/pci_address.hpp"

namespace gpukeeper {

/// The busy share of each class of engines. not_supported where the driver names no engine of the class, not_yet_read
/// until there are two readings to subtract.
class EngineShares {
 public:
  Metric<Percent>& operator[](EngineClass kind) { return shares_[static_cast<std::size_t>(kind)].value; }
  const Metric<Percent>& operator[](EngineClass kind) const { return shares_[static_cast<std::size_t>(kind)].value; }

  /// Adds what another client did, to at most 100; a known share wins over an absent one.
  void add(EngineClass kind, const Metric<Percent>& share);

  /// The share of the busiest class: a process that fills one engine is as busy as it can be there.
  Metric<Percent> busiest() const;

 private:
  struct Share {
    Metric<Percent> value = missing(Missing::not_supported);
  };
  std::array<Share, kEngineClasses> shares_;
};

/// One process on one GPU, over all its clients that no process with a lower pid shares.
struct DrmProcess {
  std::int64_t pid = 0;
  std::string name;  ///< /proc/PID/comm; empty when it could not be read
  ProcessType type;
  bool has_memory = false;  ///< whether the driver says anything of memory
  Bytes device_memory{0};   ///< in the device's own memory
  Bytes system_memory{0};   ///< in system memory that the GPU uses: GTT, and everything on an integrated GPU
  EngineShares busy;
};

/// What the DRM clients of one GPU add up to.
struct DrmDevice {
  std::string driver;
  std::vector<DrmProcess> processes;  ///< ordered by pid
  EngineShares busy;                  ///< summed over clients; a lower bound where the scan is not complete
  Bytes device_memory{0};
  Bytes system_memory{0};
};

/// One look over the machine's processes.
struct DrmScan {
  MonotonicTime taken_at{};
  bool valid = false;  ///< false: /proc could not be looked at, and `error` says why
  Error error{Errc::unavailable, "the processes were not looked at yet"};
  bool complete = true;                     ///< false when processes of other users could not be looked at
  std::size_t hidden = 0;                   ///< how many these are
  std::map<PciAddress, DrmDevice> devices;  ///< those that some process has open
  std::set<std::int64_t> kfd_pids;          ///< processes that hold /dev/kfd: AMD compute

  /// The clients of one device; an empty one when nobody has it open.
  const DrmDevice& device(const PciAddress& address) const;
};

/// Finds every process that has a DRM device open, from /proc/PID/fd and /proc/PID/fdinfo, for all vendors at once.
///
/// Cost. Looking at every descriptor of every process takes about 3 µs each, so that is done every five seconds, by
/// reading links, never by opening. In between only the descriptors known to be DRM are read again: a few files a GPU
/// process. One scan serves all who ask within its period.
///
/// Wakes nothing: the kernel answers fdinfo from its own books.
///
/// Threads: every member may be called from any thread. Only one of them scans: fdinfo runs code of the GPU's driver,
/// which can block on a GPU that hangs, so the others do not wait for it but take the last scan that was finished. Only
/// when there is none yet do they wait, and then only for a moment.
class DrmProcesses {
 public:
  struct Options {
    std::int64_t own_pid = 0;                      ///< left out of all lists; 0 for none
    std::chrono::milliseconds period{1000};        ///< a younger scan is given again
    std::chrono::milliseconds index_period{5000};  ///< all descriptors are looked at this often
    std::chrono::milliseconds patience{250};       ///< how long to wait for another thread's first scan
  };

  DrmProcesses(const Files& files, const Clock& clock, Options options);

  /// The scan in force; never null. Errors of single files do not show: processes come and go.
  std::shared_ptr<const DrmScan> scan();

 private:
  struct Sample {
    MonotonicTime at{};
    std::vector<DrmEngine> engines;  // with the highest counters seen
    std::map<std::string, Percent> shares;
  };
  struct KnownProcess {
    std::string name;
    bool kfd = false;
    std::map<std::uint64_t, std::string>
        descriptors;  // DRM descriptor -> the client's key, empty before its first reading
  };
  struct Totals;
  class Turn;

  DrmScan look();
  bool rebuild_index(DrmScan& scan);
  void index_process(std::int64_t pid, KnownProcess& process);
  void read_process(std::int64_t pid, KnownProcess& process, Totals& totals);
  const Sample& sample(const std::string& key, const DrmClient& client);

  const Files& files_;
  const Clock& clock_;
  const Options options_;
  Published<DrmScan> last_;

  std::mutex turn_mutex_;
  std::condition_variable turn_over_;
  bool scanning_ = false;       // guarded by turn_mutex_
  std::uint64_t finished_ = 0;  // scans so far; guarded by turn_mutex_

  // Touched only by the thread whose turn it is.
  bool indexed_ = false;
  std::size_t hidden_ = 0;  // processes that could not be looked at when the index was made
  MonotonicTime indexed_at_{};
  std::map<std::int64_t, KnownProcess> known_;
  std::map<std::string, Sample> samples_;
};

/// A process as backends hand it out. `unified`: the GPU has no memory of its own worth the name, so system memory
/// counts.
GpuProcess to_gpu_process(const DrmProcess& process, bool unified);

/// The processes of one device, ordered by pid.
/// Errors: that of the scan; not_permitted when none was found but not all could be looked at, as an empty list would
/// be a claim that nobody made.
Result<std::vector<GpuProcess>> drm_processes_of(const DrmScan& scan, const PciAddress& address, bool unified);

}  // namespace gpukeeper
