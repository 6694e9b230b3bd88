#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backend/nvml/call_budget.hpp"
#include "backend/nvml/session.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/gpu_process.hpp"

namespace gpukeeper::nvml {

/// The names of processes, from /proc, for the few that NVML names.
///
/// A name is read once and kept for as long as its process stays in the list; the start time, looked at now and then,
/// tells a reused pid. Inside a pid namespace the pids of NVML, which are the host's, would name strangers: there all
/// names stay empty.
/// Threads: one at a time.
class ProcessNames {
 public:
  explicit ProcessNames(const Files& files) : files_(files) {}

  /// The name; empty when it cannot be read.
  const std::string& name(std::int64_t pid, MonotonicTime now);
  /// Forgets those that were not asked for since the last call.
  void sweep();

 private:
  struct Entry {
    std::string name;
    std::uint64_t start_ticks = 0;  // 0 when it could not be read
    MonotonicTime looked{};
    bool asked = false;
  };

  const Files& files_;
  std::optional<bool> ours_;  // not known yet
  std::map<std::int64_t, Entry> entries_;
};

/// One MIG instance, as far as processes are concerned.
struct ProcessPartition {
  DeviceId id;
  abi::Handle handle = nullptr;
  std::uint32_t gpu_instance = abi::kNoInstance;
  std::uint32_t compute_instance = abi::kNoInstance;
};

/// Reads the process list of one physical device.
/// Threads: read() from one thread at a time.
class ProcessReader {
 public:
  explicit ProcessReader(const Files& files) : names_(files) {}

  struct Outcome {
    abi::Code code = abi::kSuccess;
    std::string_view function;
  };

  /// Fills `result`, ordered by pid. Errors: the code that ended it, kNotSupported when no list can be had at all.
  Outcome read(Session& session, abi::Handle device, const std::vector<ProcessPartition>& partitions,
               CallBudget& budget, MonotonicTime now, std::vector<GpuProcess>& result);

 private:
  struct Entry {
    std::int64_t pid;
    std::uint64_t memory;
    std::uint32_t gpu_instance;
    std::uint32_t compute_instance;
    const DeviceId* partition;  // when the list was a partition's own
  };

  abi::Code fetch(Session& session, const Library::ProcessList& list, abi::Handle handle, CallBudget& budget);
  abi::Code fetch_details(Session& session, abi::Handle handle, CallBudget& budget);
  abi::Code fetch_all(Session& session, abi::Handle handle, CallBudget& budget, MonotonicTime now,
                      const DeviceId* partition);
  void decode(std::size_t entry_size, std::size_t count);
  void add(const Entry& entry, ProcessType type, const std::vector<ProcessPartition>& partitions);
  abi::Code add_utilization(Session& session, abi::Handle device, CallBudget& budget, MonotonicTime now,
                            std::vector<GpuProcess>& result);

  ProcessNames names_;
  std::vector<std::byte> buffer_;
  std::size_t capacity_ = 64;  // entries
  std::vector<Entry> fetched_;
  struct Listed {
    Entry entry;
    ProcessType type;
  };
  std::vector<Listed> listed_;
  std::vector<abi::ProcessSample> samples_;
  std::vector<abi::ProcessSample> kept_;  // the newest, in the order of time
  MonotonicTime kept_at_{};
  std::uint64_t newest_sample_ = 0;
  bool details_ = true;  // the library serves one list of all processes
  bool utilization_ = true;

  // With one list of all processes their kinds come from the three lists, asked for when the set of pids changes.
  std::vector<std::pair<std::int64_t, ProcessType>> kinds_;  // by pid
  MonotonicTime kinds_at_{};
};

}  // namespace gpukeeper::nvml
