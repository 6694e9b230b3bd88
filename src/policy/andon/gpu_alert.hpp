#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/clock.hpp"
#include "telemetry/snapshot.hpp"

// The documented alerts of one GPU: four kinds, their fields, severities and texts, which do not change. The daemon's
// rules thermal, memory_pressure, power_limit and idle take their severities and texts from here.
namespace gpukeeper {

/// A whole number as the documented ones are: cut off, not rounded (89.9 % is 89 %), 0 for what is below it or no
/// number, the largest one for what is beyond.
std::uint32_t whole(double value);

/// The GPU is hot. `temp` and `threshold` in whole °C, cut off, not rounded, as all numbers here are.
struct ThermalThrottling {
  std::uint32_t device = 0;
  std::uint32_t temp = 0;
  std::uint32_t threshold = 0;

  int severity() const;         ///< 50, and one more for every degree above the threshold, up to 100
  std::string message() const;  ///< "GPU 0 thermal throttling: 85°C exceeds 80°C threshold"
  friend bool operator==(const ThermalThrottling&, const ThermalThrottling&) = default;
};

/// Its memory is nearly full.
struct MemoryPressure {
  std::uint32_t device = 0;
  std::uint32_t used_percent = 0;
  std::uint32_t threshold = 0;

  int severity() const;                             ///< 60, from 95 % on 80, from 99 % on 100
  std::string message() const;                      ///< "GPU 0 memory pressure: 92% exceeds 90% threshold"
  std::string message(std::string_view gpu) const;  ///< the same of what is called so: "0:1", a partition
  friend bool operator==(const MemoryPressure&, const MemoryPressure&) = default;
};

/// It draws nearly as much as it may.
struct PowerLimit {
  std::uint32_t device = 0;
  std::uint32_t power_percent = 0;
  std::uint32_t threshold = 0;

  int severity() const;         ///< 50, from 100 % on 70
  std::string message() const;  ///< "GPU 0 power limit: 97% exceeds 95% threshold"
  friend bool operator==(const PowerLimit&, const PowerLimit&) = default;
};

/// It has done nothing for a while.
struct GpuIdle {
  std::uint32_t device = 0;
  std::uint32_t duration_secs = 0;

  int severity() const;                             ///< 40, above 30 s 70, above 60 s 90
  std::string message() const;                      ///< "GPU 0 idle for 45 seconds (possible hang)"
  std::string message(std::string_view gpu) const;  ///< as above
  friend bool operator==(const GpuIdle&, const GpuIdle&) = default;
};

using GpuAlert = std::variant<ThermalThrottling, MemoryPressure, PowerLimit, GpuIdle>;

int severity(const GpuAlert& alert);
std::string message(const GpuAlert& alert);

/// From where on each alert fires. Whole numbers; a value reaches its threshold when it is equal to it.
struct AndonThresholds {
  std::uint32_t thermal_warning = 80;   ///< °C
  std::uint32_t thermal_critical = 90;  ///< °C; counts as critical from here on, whatever the severity
  std::uint32_t memory_warning = 90;    ///< % of the memory
  std::uint32_t memory_critical = 95;   ///< %; as thermal_critical
  std::uint32_t power_warning = 95;     ///< % of the limit
  std::uint64_t idle_threshold_secs = 30;
  friend bool operator==(const AndonThresholds&, const AndonThresholds&) = default;
};

/// The same in the words of the guide, which gives an idle GPU more time.
struct AlertConfig {
  std::uint32_t thermal_threshold = 80;
  std::uint32_t memory_threshold = 90;
  std::uint32_t power_threshold = 95;
  std::uint64_t idle_timeout_secs = 300;

  /// The critical ones are the documented 90 °C and 95 %, or the threshold itself where that is higher.
  AndonThresholds thresholds() const;
  operator AndonThresholds() const { return thresholds(); }
  friend bool operator==(const AlertConfig&, const AlertConfig&) = default;
};

/// What the four look at. What is not known raises nothing.
struct GpuVitals {
  std::uint32_t device = 0;
  std::optional<double> temperature;     ///< °C
  std::optional<double> memory_percent;  ///< 0 to 100
  std::optional<double> power_percent;   ///< of the limit in force
  std::optional<double> utilization;     ///< %
  friend bool operator==(const GpuVitals&, const GpuVitals&) = default;
};

/// The guarding temperature, memory, power and utilization of a device as it was read.
GpuVitals vitals_of(const DeviceSnapshot& device);

std::optional<ThermalThrottling> check_thermal(const GpuVitals& vitals, std::uint32_t threshold);
std::optional<MemoryPressure> check_memory(const GpuVitals& vitals, std::uint32_t threshold);
std::optional<PowerLimit> check_power(const GpuVitals& vitals, std::uint32_t threshold);
/// Whether a utilization counts as doing nothing: below 1 %, as the documented one is a whole number.
bool is_idle(const GpuVitals& vitals);

/// The documented check of samples, without memory of what was told before: every check answers with all alerts that
/// hold. (What tells each of them once is the daemon's Andon.)
///
/// An idle GPU is timed from the first sample that shows it idle, by the clock and by its device number.
/// Threads: one at a time.
class GpuAndonSystem {
 public:
  explicit GpuAndonSystem(AndonThresholds thresholds = {}) : thresholds_(thresholds) {}
  static GpuAndonSystem with_thresholds(AndonThresholds thresholds) { return GpuAndonSystem(thresholds); }
  static GpuAndonSystem with_config(const AlertConfig& config) { return GpuAndonSystem(config.thresholds()); }

  /// For samples that were taken earlier: each check() comes this much after the one before, whatever the clock says.
  void set_sample_interval(std::chrono::nanoseconds interval) { interval_ = interval; }
  /// What an idle GPU's severity counts as at most in has_critical_alerts(); 100 at first.
  void set_idle_severity_cap(int cap) { idle_severity_cap_ = cap; }

  /// The alerts of these samples, by sample, each in the order thermal, memory, power, idle.
  const std::vector<GpuAlert>& check(std::span<const GpuVitals> samples);
  const std::vector<GpuAlert>& check(std::span<const GpuVitals> samples, MonotonicTime now);

  const std::vector<GpuAlert>& alerts() const { return alerts_; }  ///< of the last check
  const AndonThresholds& thresholds() const { return thresholds_; }

  /// Whether one of them has a severity of 80 or more, or has reached its critical threshold.
  bool has_critical_alerts() const;

 private:
  std::optional<GpuIdle> check_idle(const GpuVitals& vitals, MonotonicTime now);

  AndonThresholds thresholds_;
  std::optional<std::chrono::nanoseconds> interval_;
  int idle_severity_cap_ = 100;
  MonotonicTime now_{};                                // where an interval is set
  std::map<std::uint32_t, MonotonicTime> idle_since_;  // by device
  std::vector<GpuAlert> alerts_;
};

}  // namespace gpukeeper
