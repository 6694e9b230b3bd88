#include "gpukeeper/gpu_andon_system.hpp"

#include <algorithm>

#include "policy/andon/gpu_alert.hpp"

namespace gpukeeper {
inline namespace v0 {
namespace {

constexpr int kCritical = 80;

GpuVitals vitals(const GpuMetrics& metrics) {
  return {.device = metrics.device_id,
          .temperature = metrics.temperature_celsius,
          .memory_percent = metrics.memory_percent(),
          .power_percent = metrics.power_percent(),
          .utilization = metrics.utilization_percent};
}

}  // namespace

const std::vector<GpuAlert>& GpuAndonSystem::check(std::span<const GpuMetrics> samples) {
  if (!interval_) return check(samples, std::chrono::steady_clock::now());
  now_ += *interval_;
  return check(samples, now_);
}

const std::vector<GpuAlert>& GpuAndonSystem::check(std::span<const GpuMetrics> samples, Time now) {
  alerts_.clear();
  const auto add = [&](auto alert) {
    if (alert) alerts_.emplace_back(*alert);
  };
  for (const GpuMetrics& sample : samples) {
    const GpuVitals now_of_it = vitals(sample);
    add(check_thermal(now_of_it, thresholds_.thermal_warning));
    add(check_memory(now_of_it, thresholds_.memory_warning));
    add(check_power(now_of_it, thresholds_.power_warning));
    if (!is_idle(now_of_it)) {
      idle_since_.erase(sample.device_id);
      continue;
    }
    const auto since = idle_since_.try_emplace(sample.device_id, now).first->second;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - since).count();
    if (static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0)) >= thresholds_.idle_threshold_secs) {
      alerts_.emplace_back(GpuIdle{sample.device_id, whole(static_cast<double>(seconds))});
    }
  }
  return alerts_;
}

bool GpuAndonSystem::is_critical(const GpuAlert& alert) const {
  if (const auto* hot = std::get_if<ThermalThrottling>(&alert); hot && hot->temp >= thresholds_.thermal_critical) {
    return true;
  }
  if (const auto* full = std::get_if<MemoryPressure>(&alert);
      full && full->used_percent >= thresholds_.memory_critical) {
    return true;
  }
  const int cap = std::holds_alternative<GpuIdle>(alert) ? idle_severity_cap_ : 100;
  return std::min(severity(alert), cap) >= kCritical;
}

bool GpuAndonSystem::has_critical_alerts() const {
  return std::ranges::any_of(alerts_, [&](const GpuAlert& alert) { return is_critical(alert); });
}

}  // namespace v0
}  // namespace gpukeeper
