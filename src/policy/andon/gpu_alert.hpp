#pragma once

#include <cstdint>
#include <optional>

#include "gpukeeper/gpu_alert.hpp"
#include "telemetry/snapshot.hpp"

// When the documented alerts of one GPU (gpukeeper/gpu_alert.hpp: their fields, severities and texts) fire. The
// daemon's rules thermal, memory_pressure, power_limit and idle take theirs from there.
namespace gpukeeper {

/// A whole number as the documented ones are: cut off, not rounded (89.9 % is 89 %), 0 for what is below it or no
/// number, the largest one for what is beyond.
std::uint32_t whole(double value);

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

}  // namespace gpukeeper
