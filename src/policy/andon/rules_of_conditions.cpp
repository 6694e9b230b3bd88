#include <cmath>

#include <fmt/format.h>

#include "policy/andon/rules.hpp"

namespace gpukeeper::rules {
namespace {

using enum AlertLevel;

constexpr double kUnderLoad = 50;  // % of the time: enough that a link is not at rest between two transfers

Sign condition(AlertLevel level, int severity, std::string message) {
  return {.reached = level, .kept = level, .severity = severity, .message = std::move(message)};
}

struct Brake {
  Throttle reason;
  AlertLevel level;
  int severity;
};

// What slows a device down against its design. Limits of power, current and voltage are where boosting clocks work.
constexpr Brake kBrakes[] = {
    {Throttle::hardware_thermal, critical, 85}, {Throttle::hardware_power_brake, critical, 85},
    {Throttle::prochot, critical, 85},          {Throttle::hardware_slowdown, critical, 85},
    {Throttle::software_thermal, warning, 60},  {Throttle::thermal, warning, 60},
    {Throttle::thermal_memory, warning, 60},    {Throttle::thermal_regulator, warning, 60},
};

// NVML sets the last beside one of the first two, as it stands for them all.
bool is_told_otherwise(Throttle reason, ThrottleReasons reasons) {
  return reason == Throttle::hardware_slowdown &&
         (reasons.has(Throttle::hardware_thermal) || reasons.has(Throttle::hardware_power_brake));
}

// It could not be told this time; what a device never tells stands against nothing.
bool is_unknown(const Metric<bool>& metric) {
  return !metric && metric.error() != Missing::not_supported;
}

}  // namespace

bool fan_stopped(const Scene& scene, std::vector<Sign>& signs) {
  const Reading& r = scene.device->reading;
  if (!r.fan && !r.fan_speed) return false;
  // The percentage may be what the fan was told; revolutions are what it does.
  const bool turns = r.fan_speed ? r.fan_speed->value() > 0 : r.fan->value() > 0;
  if (turns) return true;
  const auto temperature = guarding_temperature(r);
  if (!temperature) return false;
  if (auto sign = against_borders(scene, temperature->value())) {
    sign->severity = 60;
    sign->message = fmt::format("GPU {} is at {:.0f} °C and its fan stands still", scene.device->index, sign->value);
    if (r.fan && r.fan->value() > 0) sign->message += fmt::format(", though it is set to {:.0f} %", r.fan->value());
    signs.push_back(std::move(*sign));
  }
  return true;
}

bool hardware_throttling(const Scene& scene, std::vector<Sign>& signs) {
  const auto& reasons = scene.device->reading.throttle_reasons;
  if (!reasons) return reasons.error() == Missing::asleep;
  if (reasons->empty()) return true;
  for (const Brake& brake : kBrakes) {
    if (!reasons->has(brake.reason) || is_told_otherwise(brake.reason, *reasons)) continue;
    const std::string word = ThrottleReasons(brake.reason).to_string();
    Sign sign =
        condition(brake.level, brake.severity, fmt::format("GPU {} is slowed down: {}", scene.device->index, word));
    sign.subject = word;
    signs.push_back(std::move(sign));
  }
  return true;
}

bool row_remap(const Scene& scene, std::vector<Sign>& signs) {
  const Reading& r = scene.device->reading;
  if (!r.remapped_rows_failed && !r.remapped_rows_pending && !r.retired_pages_pending) return false;
  const auto add = [&](std::string subject, Sign sign) {
    sign.subject = std::move(subject);
    signs.push_back(std::move(sign));
  };
  if (r.remapped_rows_failed.value_or(false)) {
    add("failed",
        condition(critical, 90, fmt::format("GPU {}: bad memory rows could not be replaced", scene.device->index)));
  }
  if (r.remapped_rows_pending.value_or(false)) {
    add("rows pending",
        condition(warning, 60,
                  fmt::format("GPU {}: bad memory rows wait for a reset to be replaced", scene.device->index)));
  }
  if (r.retired_pages_pending.value_or(false)) {
    add("pages pending", condition(warning, 60,
                                   fmt::format("GPU {}: bad memory pages wait for a reset to be taken out of use",
                                               scene.device->index)));
  }
  return !is_unknown(r.remapped_rows_failed) && !is_unknown(r.remapped_rows_pending) &&
         !is_unknown(r.retired_pages_pending);
}

bool pcie_degraded(const Scene& scene, std::vector<Sign>& signs) {
  const Reading& r = scene.device->reading;
  if (!r.utilization || r.utilization->value() < kUnderLoad) return false;  // at rest a slow link is no sign
  if (!r.pcie_generation || !r.pcie_generation_max || !r.pcie_width || !r.pcie_width_max) return false;
  const auto generation = r.pcie_generation->value();
  const auto width = r.pcie_width->value();
  const auto best_generation = r.pcie_generation_max->value();
  const auto best_width = r.pcie_width_max->value();
  if (generation == 0 || width == 0 || (generation >= best_generation && width >= best_width)) return true;
  // Each generation doubles the bandwidth of a lane.
  const double share =
      100 * static_cast<double>(width) / static_cast<double>(std::max(width, best_width)) *
      std::exp2(static_cast<double>(generation) - static_cast<double>(std::max(generation, best_generation)));
  Sign sign = condition(warning, 50,
                        fmt::format("GPU {}: the PCIe link runs at generation {} x{} instead of {} x{}, {:.0f}% of "
                                    "what it could carry",
                                    scene.device->index, generation, width, best_generation, best_width, share));
  sign.value = share;
  signs.push_back(std::move(sign));
  return true;
}

bool missing_sensor(const Scene& scene, std::vector<Sign>& signs) {
  for (const ThrottleRequest& request : scene.device->throttling.requests) {
    if (request.cause != ThrottleCause::missing_sensor) continue;
    signs.push_back(condition(
        warning, 60, fmt::format("GPU {} stopped telling its temperature: {}", scene.device->index, request.reason)));
    return true;
  }
  return true;
}

}  // namespace gpukeeper::rules
