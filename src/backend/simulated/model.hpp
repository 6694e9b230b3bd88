#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "backend/simulated/scenario.hpp"
#include "core/clock.hpp"
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

  /// Of the device and its partitions, or of this partition; ordered by pid. `begin` is when the scenario started.
  std::vector<GpuProcess> processes(double seconds, WallTime begin) const;

 private:
  // What most metrics follow from, worked out once a reading.
  struct Instant {
    double seconds = 0;
    double load = 0;   // percent
    double limit = 0;  // watts
    double watts = 0;
    double celsius = 0;
    double slowdown = 0;  // °C
    bool too_hot() const { return celsius >= slowdown; }
  };
  // What adds up from the start of the scenario.
  struct Sums {
    double joules = 0;
    double power_throttled = 0;  // seconds
    double heat_throttled = 0;   // seconds
  };

  bool gives(std::string_view metric) const { return spec_.metrics.contains(metric); }
  std::optional<double> given(std::string_view metric, double seconds) const;
  double given_or(std::string_view metric, double seconds, double otherwise) const;
  std::uint64_t noise_key(std::string_view name) const;

  bool runs(const ProcessSpec& process, double seconds) const;
  std::optional<double> memory_of(const ProcessSpec& process, double seconds) const;
  std::optional<double> load_of(const ProcessSpec& process, double seconds) const;
  std::shared_ptr<const ProcessFacts> who(const ProcessSpec& process, double seconds, WallTime begin) const;

  double load(double seconds) const;
  std::optional<double> memory_in_use(double seconds) const;
  double power_limit(double seconds) const;
  double power(double seconds) const;
  double recent_power(double seconds) const;
  Instant instant(double seconds) const;
  Sums sums(double seconds) const;

  void fill_common(Reading& reading, const Instant& now) const;
  void fill_nvidia(Reading& reading, const Instant& now) const;
  void fill_amd(Reading& reading, const Instant& now) const;
  void fill_intel(Reading& reading, const Instant& now) const;

  const DeviceSpec& physical_;
  const std::optional<std::size_t> partition_;
  const DeviceSpec& spec_;  // the device's or the partition's own
  const std::uint64_t key_;
  const bool may_overheat_;

  // The sums of the whole seconds before sums_until_: a cache alone, filled from zero in one order.
  mutable std::mutex mutex_;
  mutable std::uint64_t sums_until_ = 0;  // guarded by mutex_
  mutable Sums sums_;                     // guarded by mutex_
};

}  // namespace gpukeeper::simulated
