#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "gpukeeper/export.hpp"

// The documented alerts of one GPU: four kinds, their fields, severities and texts, which do not change. The daemon's
// rules thermal, memory_pressure, power_limit and idle take their severities and texts from here.
//
// Threads: values; every function may be called from any thread.
namespace gpukeeper {
inline namespace v0 {

/// The GPU is hot. `temp` and `threshold` in whole °C, cut off, not rounded, as all numbers here are.
struct GPUKEEPER_API ThermalThrottling {
  std::uint32_t device = 0;
  std::uint32_t temp = 0;
  std::uint32_t threshold = 0;

  int severity() const;         ///< 50, and one more for every degree above the threshold, up to 100
  std::string message() const;  ///< "GPU 0 thermal throttling: 85°C exceeds 80°C threshold"
  friend bool operator==(const ThermalThrottling&, const ThermalThrottling&) = default;
};

/// Its memory is nearly full.
struct GPUKEEPER_API MemoryPressure {
  std::uint32_t device = 0;
  std::uint32_t used_percent = 0;
  std::uint32_t threshold = 0;

  int severity() const;                             ///< 60, from 95 % on 80, from 99 % on 100
  std::string message() const;                      ///< "GPU 0 memory pressure: 92% exceeds 90% threshold"
  std::string message(std::string_view gpu) const;  ///< the same of what is called so: "0:1", a partition
  friend bool operator==(const MemoryPressure&, const MemoryPressure&) = default;
};

/// It draws nearly as much as it may.
struct GPUKEEPER_API PowerLimit {
  std::uint32_t device = 0;
  std::uint32_t power_percent = 0;
  std::uint32_t threshold = 0;

  int severity() const;         ///< 50, from 100 % on 70
  std::string message() const;  ///< "GPU 0 power limit: 97% exceeds 95% threshold"
  friend bool operator==(const PowerLimit&, const PowerLimit&) = default;
};

/// It has done nothing for a while.
struct GPUKEEPER_API GpuIdle {
  std::uint32_t device = 0;
  std::uint32_t duration_secs = 0;

  int severity() const;                             ///< 40, above 30 s 70, above 60 s 90
  std::string message() const;                      ///< "GPU 0 idle for 45 seconds (possible hang)"
  std::string message(std::string_view gpu) const;  ///< as above
  friend bool operator==(const GpuIdle&, const GpuIdle&) = default;
};

using GpuAlert = std::variant<ThermalThrottling, MemoryPressure, PowerLimit, GpuIdle>;

GPUKEEPER_API int severity(const GpuAlert& alert);  ///< 0 to 100
GPUKEEPER_API std::string message(const GpuAlert& alert);

/// An object with one key: {"ThermalThrottling":{"device":0,"temp":85,"threshold":80}}.
GPUKEEPER_API std::string to_json(const GpuAlert& alert);

/// Reads that form; members may come in any order, others are let pass. Nothing for a text that is no alert; then
/// `mistake`, where it is given, says why.
GPUKEEPER_API std::optional<GpuAlert> read_gpu_alert(std::string_view json, std::string* mistake = nullptr);

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
struct GPUKEEPER_API AlertConfig {
  std::uint32_t thermal_threshold = 80;
  std::uint32_t memory_threshold = 90;
  std::uint32_t power_threshold = 95;
  std::uint64_t idle_timeout_secs = 300;

  /// The critical ones are the documented 90 °C and 95 %, or the threshold itself where that is higher.
  AndonThresholds thresholds() const;
  operator AndonThresholds() const { return thresholds(); }
  friend bool operator==(const AlertConfig&, const AlertConfig&) = default;
};

}  // namespace v0
}  // namespace gpukeeper
