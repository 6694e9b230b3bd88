#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/units.hpp"

namespace gpukeeper {

/// How busy a machine is, its GPUs aside. What is not known is nothing.
struct HostLoad {
  std::optional<Percent> cpu;          ///< of all processors together, since the look before
  std::optional<Percent> memory_used;  ///< of all memory: what new work could not have (total less MemAvailable)

  friend bool operator==(const HostLoad&, const HostLoad&) = default;
};

/// The first line of /proc/stat: all processors together, since boot (proc_stat(5)).
struct CpuTimes {
  std::uint64_t busy = 0;   ///< in ticks; guests' time is part of user's and counted once
  std::uint64_t total = 0;  ///< busy, idle and waiting for disks

  friend bool operator==(const CpuTimes&, const CpuTimes&) = default;
};

/// Nothing for a text without such a line.
std::optional<CpuTimes> parse_cpu_times(std::string_view stat);

/// The share of memory in use, from /proc/meminfo; nothing without MemTotal and MemAvailable (Linux 3.14).
std::optional<Percent> parse_memory_used(std::string_view meminfo);

/// Reads a machine's load every few seconds: /proc/stat takes up to a millisecond on machines with many processors, as
/// it counts every interrupt.
///
/// Threads: one at a time. It never waits: both files are made up from counters in memory.
class HostLoadReader {
 public:
  static constexpr std::chrono::seconds kPeriod{5};

  explicit HostLoadReader(std::shared_ptr<const Files> machine) : machine_(std::move(machine)) {}

  /// What was read last; reads anew when that is due.
  const HostLoad& load(MonotonicTime now);

 private:
  void read();

  std::shared_ptr<const Files> machine_;
  std::optional<MonotonicTime> read_at_;
  std::optional<CpuTimes> before_;
  HostLoad load_;
};

}  // namespace gpukeeper
