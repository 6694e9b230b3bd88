#include "gpukeeper/gpu_panel.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/display_text.hpp"

namespace gpukeeper {
inline namespace v0 {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr std::string_view kAbsent = "n/a";

constexpr std::size_t less(std::size_t a, std::size_t b) {
  return a > b ? a - b : 0;  // a narrow terminal leaves no room, not all of it
}

std::string utilization(const GpuMetrics& m) {
  return m.utilization_percent ? fmt::format("{:>3}%", *m.utilization_percent) : std::string(kAbsent);
}

std::string temperature(const GpuMetrics& m) {
  return m.temperature_celsius ? fmt::format("{}°C", *m.temperature_celsius) : std::string(kAbsent);
}

std::string memory(const GpuMetrics& m) {
  if (!m.memory_percent()) return std::string(kAbsent);
  return fmt::format("{:.1f}/{:.1f} GB ({:.0f}%)", static_cast<double>(*m.memory_used_bytes) / kGiB,
                     static_cast<double>(*m.memory_total_bytes) / kGiB, *m.memory_percent());
}

std::string power(const GpuMetrics& m) {
  if (!m.power_watts) return std::string(kAbsent);
  if (!m.power_limit_watts) return fmt::format("{:.0f}W", *m.power_watts);
  return fmt::format("{:.0f}W/{:.0f}W", *m.power_watts, *m.power_limit_watts);
}

}  // namespace

std::string render_progress_bar(double value, std::size_t width) {
  const double share = value >= 0 ? std::min(value / 100, 1.0) : 0;  // what is no number is nothing
  const auto full = std::min(static_cast<std::size_t>(std::lround(share * static_cast<double>(width))), width);
  std::string bar;
  for (std::size_t i = 0; i < width; ++i) bar += i < full ? "█" : "░";
  return bar;
}

std::string format_gpu_panel(const GpuMetrics& m, std::size_t width) {
  const std::size_t bar = less(width, 25);
  const auto drawn = [&](std::optional<double> value) { return render_progress_bar(value.value_or(0), bar); };
  return fmt::format("───── GPU {}: {} ─────\n", m.device_id, fit(harmless(m.name), less(width, 20))) +
         fmt::format("Util: {} {}  │  Temp: {}\n", drawn(m.utilization_percent), utilization(m), temperature(m)) +
         fmt::format("VRAM: {} {}\n", drawn(m.memory_percent()), memory(m)) +
         fmt::format("Pow:  {} {}\n", drawn(m.power_percent()), power(m));
}

}  // namespace v0
}  // namespace gpukeeper
