#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "attribution/users.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/process_facts.hpp"
#include "proc/process_stat.hpp"

namespace gpukeeper {

/// In what units the kernel counts; those of the machine that this program runs on.
struct KernelUnits {
  std::uint64_t ticks_per_second;  ///< of times in /proc (sysconf(_SC_CLK_TCK))
  std::uint64_t page_bytes;        ///< of memory in /proc/PID/stat; 4096, 16384 or 65536
  static KernelUnits of_this_machine();
};

/// Reads from /proc who one process is.
/// Threads: one at a time. Any call may block on a process that hangs in the kernel.
class ProcessReader {
 public:
  explicit ProcessReader(const Files& files, KernelUnits units = KernelUnits::of_this_machine())
      : files_(files), units_(units), users_(files) {}

  /// The line that says whether the process is still there and the same. not_found: there is no such process, or /proc
  /// hides it (`hides()` tells).
  Result<ProcessStat> stat(std::int64_t pid) const;

  /// What stays as it is until the process calls another program: all facts but processor time and memory.
  struct Identity {
    ProcessFacts facts;
    std::string cmdline;  ///< with its secrets: for the classifier, then to be dropped
  };
  /// Nothing when the process is gone, or another one has its pid. A fact that cannot be read carries its reason.
  std::optional<Identity> identity(const ProcessStat& stat, MonotonicTime now);

  /// What of it changes all the time, out of its stat.
  Bytes resident(const ProcessStat& stat) const { return Bytes(stat.resident_pages * units_.page_bytes); }
  std::chrono::nanoseconds cpu_time(const ProcessStat& stat) const;

  /// Whether /proc hides the processes of other users (its mount option hidepid).
  bool hides() const;

  /// Forgets the forebears that were read, as they may have changed; before each round.
  void begin_round() { forebears_.clear(); }

 private:
  void read_status(const std::string& folder, MonotonicTime now, ProcessFacts& facts);
  Metric<std::string> executable(const std::string& folder, const ProcessStat& stat) const;
  Metric<WallTime> started(const ProcessStat& stat, MonotonicTime now);
  Metric<ProcessStat> forebear(std::int64_t pid);

  const Files& files_;
  const KernelUnits units_;
  Users users_;
  std::map<std::int64_t, Metric<ProcessStat>> forebears_;  // of this round: processes often have the same ones
  std::optional<std::uint64_t> boot_seconds_;              // UNIX time of boot
  MonotonicTime boot_read_at_{};
};

/// Why a fact of a process is absent, from the error that reading it met.
Missing missing_in_proc(Errc code);

}  // namespace gpukeeper
