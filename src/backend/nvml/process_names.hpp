#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/files.hpp"

namespace gpukeeper::nvml {

/// Name and start of processes, from /proc/PID/stat, read once for all devices that list them at the same time: a
/// training job stands on every GPU of a machine.
///
/// Inside a pid namespace the pids of NVML, which are the host's, would name strangers: there nobody has a name.
/// Threads: any. The files are read without a lock.
class RecentProcesses {
 public:
  explicit RecentProcesses(const Files& files) : files_(files) {}

  struct Facts {
    std::string name;               ///< empty when it cannot be read
    std::uint64_t start_ticks = 0;  ///< 0 then
  };
  /// As they were less than a second ago.
  Facts facts(std::int64_t pid, MonotonicTime now);

 private:
  Facts read(std::int64_t pid) const;

  const Files& files_;
  std::once_flag looked_;
  bool ours_ = false;  // of looked_
  std::mutex mutex_;
  MonotonicTime since_{};                         // guarded by mutex_, as the next one
  std::unordered_map<std::int64_t, Facts> read_;  // since then
};

/// The names of the few processes that NVML names on one device.
///
/// A name is kept for as long as its process stays in the list; the start time, looked at now and then, tells a reused
/// pid.
/// Threads: one at a time.
class ProcessNames {
 public:
  explicit ProcessNames(std::shared_ptr<RecentProcesses> recent) : recent_(std::move(recent)) {}

  /// The name; empty when it cannot be read.
  const std::string& name(std::int64_t pid, MonotonicTime now);
  /// Forgets those that were not asked for since the last call.
  void sweep();

 private:
  struct Entry {
    RecentProcesses::Facts facts;
    MonotonicTime looked{};
    bool asked = false;
  };

  std::shared_ptr<RecentProcesses> recent_;
  std::map<std::int64_t, Entry> entries_;
};

}  // namespace gpukeeper::nvml
