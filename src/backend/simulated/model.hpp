#pragma once

#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "backend/simulated/scenario.hpp"
#include "device/reading.hpp"

namespace gpukeeper::simulated {

/// A device's metrics and processes at any instant: what the scenario gives, and for the rest a plain physics that
/// keeps the figures of one device in agreement. Work (the processes' utilization) draws power, power warms within some
/// 40 s, warmth drives the fan, a limit reached throttles, energy is the sum of power, memory in use that of the
/// processes.
///
/// Depends on scenario, seed and time alone, never on what was asked before. Faults are the backend's.
/// Threads: every member may be called from any thread.
class DeviceModel {
 public:
  /// `partition` is the number of the partition of `physical` that this stands for. `physical` must outlive it.
  DeviceModel(const DeviceSpec& physical, std::optional<std::size_t> partition, std::uint64_t seed);

  Reading read(double seconds) const;

  /// Of the device and its partitions, or of this partition; ordered by pid.
  std::vector<GpuProcess> processes(double seconds) const;

 private:
  bool gives(std::string_view metric) const { return spec_.metrics.contains(metric); }
  std::optional<double> given(std::string_view metric, double seconds) const;
  double given_or(std::string_view metric, double seconds, double otherwise) const;
  std::uint64_t noise_key(std::string_view name) const;

  double utilization(double seconds) const;
  double memory_in_use(double seconds) const;
  double power_limit(double seconds) const;
  double power(double seconds) const;
  double recent_power(double seconds) const;
  double temperature(double seconds) const;
  double energy(double seconds) const;

  void fill_memory(Reading& reading, double seconds) const;
  void fill_common(Reading& reading, double seconds) const;
  void fill_nvidia(Reading& reading, double seconds) const;
  void fill_amd(Reading& reading, double seconds) const;
  void fill_intel(Reading& reading, double seconds) const;

  const DeviceSpec& physical_;
  const std::optional<std::size_t> partition_;
  const DeviceSpec& spec_;  // the device's or the partition's own
  const std::uint64_t key_;

  // Joules at whole seconds so far computed: a cache alone, filled from zero in one order.
  mutable std::mutex mutex_;
  mutable std::uint64_t energy_until_ = 0;  // guarded by mutex_
  mutable double energy_ = 0;               // guarded by mutex_
};

}  // namespace gpukeeper::simulated
