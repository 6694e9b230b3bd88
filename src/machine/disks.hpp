#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/units.hpp"
#include "machine/kernel_calls.hpp"

namespace gpukeeper {

/// A file system on a disk of this machine, where it is mounted.
struct Mount {
  std::string number;  ///< of its device: "8:1"
  std::string device;  ///< "/dev/sda1"
  std::string mount_point;
  std::string file_system;  ///< "ext4"
  friend bool operator==(const Mount&, const Mount&) = default;
};

/// The mounts of /proc/PID/mountinfo whose file system lies on a block device, by what /proc/filesystems says; of one
/// that is mounted several times the whole of it, where the path is shortest. Network and made-up file systems are left
/// out: to ask one for its room may take for ever.
std::vector<Mount> parse_mounts(std::string_view mountinfo, std::string_view filesystems);

/// What a block device did since boot (/proc/diskstats).
struct DiskCounters {
  std::uint64_t reads = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t writes = 0;
  std::uint64_t written_bytes = 0;
  friend bool operator==(const DiskCounters&, const DiskCounters&) = default;
};

/// By the device's number. What is no line of it is left out.
std::map<std::string, DiskCounters> parse_disk_counters(std::string_view diskstats);

struct DiskFacts {
  Mount mount;
  DiskSpace space;
  std::optional<double> read_bytes_per_second;
  std::optional<double> written_bytes_per_second;
  std::optional<double> reads_per_second;
  std::optional<double> writes_per_second;

  /// Of what users may have at all.
  std::optional<Percent> used_share() const;
};

using DiskLook = std::map<std::string, DiskCounters>;

/// One whose room nobody tells is left out.
std::vector<DiskFacts> disk_facts(const Files& files, const KernelCalls& calls, const DiskLook& before,
                                  const DiskLook& now, std::chrono::nanoseconds between);

}  // namespace gpukeeper
