#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backend/amdgpu/gpu_metrics.hpp"
#include "backend/amdgpu/kfd_topology.hpp"
#include "backend/sysfs/drm_card.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "backend/sysfs/hwmon.hpp"
#include "backend/sysfs/pci_facts.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/device.hpp"
#include "device/reading.hpp"

namespace gpukeeper {

/// One card under amdgpu: what is known of it between readings, and how it is read.
///
/// Where a value comes from. The headline values (temperatures, power, clocks, fan) come from hwmon: its units are the
/// kernel's promise, while gpu_metrics rounds to whole degrees and watts on boards and changes its units with the
/// firmware on APUs. One read of gpu_metrics then gives what has no file of its own, or spares files: memory controller
/// and media activity, video clock, throttle status, link, energy, xGMI. What does not change is read once, what
/// changes seldom every ten seconds. `pcie_bw` is never read: the kernel sleeps a second in it.
///
/// Threads: read_facts, read and lost by one caller at a time; the others from any thread.
class AmdgpuCard {
 public:
  AmdgpuCard(const Files& files, DrmCard card, std::vector<KfdNode> nodes, bool recorded);

  const DrmCard& card() const { return card_; }
  const std::vector<KfdNode>& nodes() const { return nodes_; }
  bool is(const DrmCard& other) const;

  /// Facts that only the awake card tells: vbios, serial, board number, its own id and name, partition mode.
  struct Facts {
    Metric<std::string> vbios = missing(Missing::not_supported);
    Metric<std::string> serial = missing(Missing::not_supported);
    Metric<std::string> part_number = missing(Missing::not_supported);
    std::string product;
    std::string unique_id;       ///< 16 hexadecimal digits; empty when it has none
    std::string partition_mode;  ///< "SPX", "CPX", …
  };
  static Facts read_facts(const Files& files, const std::string& device_folder);

  /// Reads everything; only while the card is awake.
  /// Errors: not_found when it has left the bus; unavailable when the driver answers "not now" to everything.
  Result<Reading> read(MonotonicTime now);

  /// One partition's reading out of the card's last one: its own load and memory; the sensors are the card's.
  Reading read_partition(std::size_t index) const;

  /// Forgets counters whose difference would span a sleep.
  void forget_rates();

  /// Engine loads out of the last look at the processes.
  void take_scan(std::shared_ptr<const DrmScan> scan);

  /// Whether it is part of a processor and shares the system's memory; nothing before the first reading.
  std::optional<bool> unified() const;

 private:
  struct Parts;  // found once, while the driver stays loaded
  struct Slow;   // read every ten seconds

  std::string path(std::string_view file) const { return card_.device_folder + "/" + std::string(file); }
  void find_parts();
  std::optional<GpuMetrics> read_metrics(MonotonicTime now);
  void set_temperatures(Reading& reading, const GpuMetrics* metrics) const;
  void set_power(Reading& reading, const GpuMetrics* metrics) const;
  void set_fan(Reading& reading, const GpuMetrics* metrics) const;
  void set_clocks(Reading& reading, const GpuMetrics* metrics) const;
  void set_memory(Reading& reading);
  void set_load(Reading& reading, const GpuMetrics* metrics, MonotonicTime now);
  void set_engines(Reading& reading, MonotonicTime now) const;
  void set_link_state(Reading& reading, const GpuMetrics* metrics) const;
  void set_throttle(Reading& reading, const GpuMetrics* metrics);
  void set_xgmi(Reading& reading, const GpuMetrics* metrics, MonotonicTime now);
  void set_slow(Reading& reading, MonotonicTime now);
  void read_errors(Slow& slow) const;
  void add_sensors(Reading& reading, const GpuMetrics* metrics) const;
  Metric<std::uint64_t> count(std::string_view file);

  const Files& files_;
  const DrmCard card_;
  const std::vector<KfdNode> nodes_;
  const bool recorded_;
  std::shared_ptr<Parts> parts_;
  std::shared_ptr<const Slow> slow_;
  bool refused_ = false;  // whether the driver answered "not now" during this reading

  int metrics_failures_ = 0;
  MonotonicTime metrics_retry_at_{};
  std::optional<ThrottleCounters> throttle_before_;
  struct Xgmi {
    MonotonicTime at;
    std::uint64_t read_kib, written_kib;
  };
  std::optional<Xgmi> xgmi_before_;

  mutable std::mutex mutex_;
  std::shared_ptr<const DrmScan> scan_;            // guarded by mutex_
  std::vector<GpuMetrics::Partition> partitions_;  // guarded by mutex_
  std::optional<bool> unified_;                    // guarded by mutex_
};

}  // namespace gpukeeper
