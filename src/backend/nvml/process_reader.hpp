#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/nvml/call_budget.hpp"
#include "backend/nvml/process_names.hpp"
#include "backend/nvml/session.hpp"
#include "core/clock.hpp"
#include "device/gpu_process.hpp"

namespace gpukeeper::nvml {

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
  /// `facts` is shared with the readers of the other devices.
  explicit ProcessReader(std::shared_ptr<RecentProcesses> facts) : names_(std::move(facts)) {}

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
