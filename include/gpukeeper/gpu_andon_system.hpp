#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "gpukeeper/export.hpp"
#include "gpukeeper/gpu_alert.hpp"
#include "gpukeeper/gpu_metrics.hpp"

namespace gpukeeper {
inline namespace v0 {

/// The documented check of what GPUs do, without memory of what was told before: every check answers with all alerts
/// that hold. (What tells each of them once is GpuMonitorCallback, and the daemon's Andon.)
///
/// An idle GPU is timed from the first sample that shows it idle, by the clock and by its device number. What is not
/// known raises nothing.
/// Threads: one at a time.
class GPUKEEPER_API GpuAndonSystem {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit GpuAndonSystem(AndonThresholds thresholds = {}) : thresholds_(thresholds) {}
  static GpuAndonSystem with_thresholds(AndonThresholds thresholds) { return GpuAndonSystem(thresholds); }
  static GpuAndonSystem with_config(const AlertConfig& config) { return GpuAndonSystem(config.thresholds()); }

  /// For samples that were taken earlier: each check() comes this much after the one before, whatever the clock says.
  void set_sample_interval(std::chrono::nanoseconds interval) { interval_ = interval; }
  /// What an idle GPU's severity counts as at most in has_critical_alerts(); 100 at first. By its formula a minute of
  /// idleness scores 90, above a GPU that burns.
  void set_idle_severity_cap(int cap) { idle_severity_cap_ = cap; }

  /// The alerts of these samples, by sample, each in the order thermal, memory, power, idle; valid until the next
  /// check.
  const std::vector<GpuAlert>& check(std::span<const GpuMetrics> samples);
  const std::vector<GpuAlert>& check(std::span<const GpuMetrics> samples, Time now);

  const std::vector<GpuAlert>& alerts() const { return alerts_; }  ///< of the last check
  const AndonThresholds& thresholds() const { return thresholds_; }

  /// Whether one of them has a severity of 80 or more, or has reached its critical threshold.
  bool has_critical_alerts() const;
  /// The same of one alert, by these thresholds.
  bool is_critical(const GpuAlert& alert) const;

 private:
  AndonThresholds thresholds_;
  std::optional<std::chrono::nanoseconds> interval_;
  int idle_severity_cap_ = 100;
  Time now_{};                                // where an interval is set
  std::map<std::uint32_t, Time> idle_since_;  // by device
  std::vector<GpuAlert> alerts_;
};

}  // namespace v0
}  // namespace gpukeeper
