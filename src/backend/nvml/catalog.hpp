#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/nvml/attach.hpp"
#include "backend/nvml/device_reader.hpp"
#include "backend/nvml/process_reader.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/device.hpp"
#include "device/reading.hpp"

namespace gpukeeper::nvml {

inline constexpr std::chrono::seconds kLostRetry{10};  // a lost device is asked again after it, and then ever later
inline constexpr std::chrono::seconds kLongestLostRetry{300};

/// A MIG instance within one session.
struct Partition {
  ProcessPartition place;
  bool memory2 = true;  // as the rest: of the thread that reads it
  Reading reading{Missing::not_supported};
  std::optional<MonotonicTime> read_at;
};

/// A physical device within one session.
struct Unit {
  Unit(const Files& files, std::shared_ptr<RecentProcesses> recent, Found found, double calls_per_second)
      : device(std::move(found.device)),
        reader(files, std::move(found.attached), calls_per_second),
        processes(std::move(recent)) {
    reader.mig_mode = found.mig_mode;
    reader.budget().borrow(found.calls);
  }

  Device device;        // constant once published
  DeviceReader reader;  // of the thread that reads the device
  std::chrono::seconds lost_pause = kLostRetry;
  MonotonicTime lost_until{};
  std::atomic<abi::Code> lost{abi::kSuccess};  // set by the thread that reads
  int reads = 0;
  bool on_bus = false;  // of list(): the kernel's files showed it

  std::mutex processes_mutex;
  ProcessReader processes;  // guarded by processes_mutex

  std::atomic<bool> inside{false};   // a reading of it is in the driver
  std::atomic<int> held{-1};         // whether processes compute on it: 0, 1, -1 not known yet
  std::atomic<bool> recheck{false};  // its partitions may have changed
  MonotonicTime mode_checked{};      // these three: of list()
  MonotonicTime partitions_checked{};
  std::vector<Device> partition_devices;
  std::vector<std::shared_ptr<Partition>> partitions;
};

/// A device or partition as read() finds it.
struct Entry {
  std::string label;   // "GPU 0000:01:00.0", for messages
  std::string folder;  // its PCI function; empty when there is none
  bool managed = false;
  Metric<std::string> runtime_state = missing(Missing::not_supported);  // where it is not managed: it stays so
  std::shared_ptr<Unit> unit;
  std::shared_ptr<Partition> partition;
  std::shared_ptr<const std::vector<ProcessPartition>> places;  // of all its partitions
  std::optional<Error> error;                                   // why it cannot be read
};

using Catalog = std::unordered_map<std::string, Entry>;

}  // namespace gpukeeper::nvml
