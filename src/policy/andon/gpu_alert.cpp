#include "policy/andon/gpu_alert.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

bool reaches(const std::optional<double>& value, std::uint32_t threshold) {
  return value && whole(*value) >= threshold;
}

}  // namespace

std::uint32_t whole(double value) {
  if (!(value > 0)) return 0;  // NaN too
  constexpr double kMost = std::numeric_limits<std::uint32_t>::max();
  return value >= kMost ? std::numeric_limits<std::uint32_t>::max() : static_cast<std::uint32_t>(value);
}

int ThermalThrottling::severity() const {
  return 50 + static_cast<int>(temp > threshold ? std::min(50U, temp - threshold) : 0);
}

std::string ThermalThrottling::message() const {
  return fmt::format("GPU {} thermal throttling: {}°C exceeds {}°C threshold", device, temp, threshold);
}

int MemoryPressure::severity() const {
  if (used_percent >= 99) return 100;
  return used_percent >= 95 ? 80 : 60;
}

std::string MemoryPressure::message() const {
  return message(fmt::format("{}", device));
}

std::string MemoryPressure::message(std::string_view gpu) const {
  return fmt::format("GPU {} memory pressure: {}% exceeds {}% threshold", gpu, used_percent, threshold);
}

int PowerLimit::severity() const {
  return power_percent >= 100 ? 70 : 50;
}

std::string PowerLimit::message() const {
  return fmt::format("GPU {} power limit: {}% exceeds {}% threshold", device, power_percent, threshold);
}

int GpuIdle::severity() const {
  if (duration_secs > 60) return 90;
  return duration_secs > 30 ? 70 : 40;
}

std::string GpuIdle::message() const {
  return message(fmt::format("{}", device));
}

std::string GpuIdle::message(std::string_view gpu) const {
  return fmt::format("GPU {} idle for {} seconds (possible hang)", gpu, duration_secs);
}

int v0::severity(const GpuAlert& alert) {
  return std::visit([](const auto& each) { return each.severity(); }, alert);
}

std::string v0::message(const GpuAlert& alert) {
  return std::visit([](const auto& each) { return each.message(); }, alert);
}

AndonThresholds AlertConfig::thresholds() const {
  AndonThresholds result;
  result.thermal_warning = thermal_threshold;
  result.thermal_critical = std::max(result.thermal_critical, thermal_threshold);
  result.memory_warning = memory_threshold;
  result.memory_critical = std::max(result.memory_critical, memory_threshold);
  result.power_warning = power_threshold;
  result.idle_threshold_secs = idle_timeout_secs;
  return result;
}

GpuVitals vitals_of(const DeviceSnapshot& device) {
  const Reading& r = device.reading;
  GpuVitals result{.device = device.index};
  if (const auto temperature = guarding_temperature(r)) result.temperature = temperature->value();
  if (const auto memory = memory_percent(r)) result.memory_percent = memory->value();
  if (r.power && r.power_limit && r.power_limit->value() > 0) {
    result.power_percent = r.power->value() / r.power_limit->value() * 100;
  }
  if (r.utilization) result.utilization = r.utilization->value();
  return result;
}

std::optional<ThermalThrottling> check_thermal(const GpuVitals& vitals, std::uint32_t threshold) {
  if (!reaches(vitals.temperature, threshold)) return std::nullopt;
  return ThermalThrottling{vitals.device, whole(*vitals.temperature), threshold};
}

std::optional<MemoryPressure> check_memory(const GpuVitals& vitals, std::uint32_t threshold) {
  if (!reaches(vitals.memory_percent, threshold)) return std::nullopt;
  return MemoryPressure{vitals.device, whole(*vitals.memory_percent), threshold};
}

std::optional<PowerLimit> check_power(const GpuVitals& vitals, std::uint32_t threshold) {
  if (!reaches(vitals.power_percent, threshold)) return std::nullopt;
  return PowerLimit{vitals.device, whole(*vitals.power_percent), threshold};
}

bool is_idle(const GpuVitals& vitals) {
  return vitals.utilization && whole(*vitals.utilization) == 0;
}

}  // namespace gpukeeper
