#include "gpukeeper/mock_gpu_backend.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace gpukeeper {
inline namespace v0 {

constexpr std::uint64_t kMiB = 1ULL << 20;

GpuBackend::~GpuBackend() = default;

GpuMetrics mock_gpu_metrics(std::uint32_t device_id) {
  return {.device_id = device_id,
          .name = fmt::format("Mock GPU {}", device_id),
          .utilization_percent = 75,
          .memory_used_bytes = 8192 * kMiB,
          .memory_total_bytes = 24576 * kMiB,
          .memory_utilization_percent = 33,
          .temperature_celsius = 65,
          .power_watts = 250,
          .power_limit_watts = 450,
          .clock_mhz = 2100,
          .memory_clock_mhz = 10000,
          .pcie_tx_kbps = 1000,
          .pcie_rx_kbps = 2000,
          .fan_speed_percent = 50,
          .processes = {{.pid = 12345,
                         .exe_path = "/usr/bin/mock_training",
                         .gpu_memory_mb = 4096,
                         .cpu_percent = 95,
                         .rss_mb = 2048}},
          .simulated = true};
}

GpuMetrics varied(GpuMetrics m, double v) {
  if (!std::isfinite(v)) return m;
  const auto tenths = static_cast<std::int64_t>(std::clamp(v * 10, -1e6, 1e6));
  const auto moved = [](std::uint32_t value, std::int64_t by, std::int64_t least, std::int64_t most) {
    return static_cast<std::uint32_t>(std::clamp(std::int64_t{value} + by, least, most));
  };
  if (m.utilization_percent) m.utilization_percent = moved(*m.utilization_percent, tenths, 0, 100);
  if (m.temperature_celsius) m.temperature_celsius = moved(*m.temperature_celsius, tenths / 2, 30, 100);
  if (m.power_watts) {
    const double most = std::max(m.power_limit_watts.value_or(std::numeric_limits<double>::max()), 0.0);
    m.power_watts = std::clamp(*m.power_watts + v * 20, 0.0, most);
  }
  return m;
}

// A copy with a change of the chosen device, which is there from the first change on.
template <class Change>
MockGpuBackend MockGpuBackend::changed(Change change) const {
  MockGpuBackend result = *this;
  if (result.devices_.empty()) result = result.with_device(0, "Mock GPU 0");
  change(result.devices_[result.chosen_]);
  return result;
}

MockGpuBackend MockGpuBackend::with_device(std::uint32_t id, std::string name) const {
  MockGpuBackend result = *this;
  auto place = std::ranges::lower_bound(result.devices_, id, {}, &GpuMetrics::device_id);
  if (place == result.devices_.end() || place->device_id != id) {
    place = result.devices_.insert(place, GpuMetrics{.device_id = id, .simulated = true});
  }
  place->name = std::move(name);
  result.chosen_ = static_cast<std::size_t>(place - result.devices_.begin());
  return result;
}

MockGpuBackend MockGpuBackend::with_temperature(std::uint32_t celsius) const {
  return changed([&](GpuMetrics& device) { device.temperature_celsius = celsius; });
}

MockGpuBackend MockGpuBackend::with_utilization(std::uint32_t percent) const {
  return changed([&](GpuMetrics& device) { device.utilization_percent = percent; });
}

MockGpuBackend MockGpuBackend::with_memory(std::uint64_t used_bytes, std::uint64_t total_bytes) const {
  return changed([&](GpuMetrics& device) {
    device.memory_used_bytes = used_bytes;
    device.memory_total_bytes = total_bytes;
  });
}

MockGpuBackend MockGpuBackend::with_power(double watts, double limit_watts) const {
  return changed([&](GpuMetrics& device) {
    device.power_watts = watts;
    device.power_limit_watts = limit_watts;
  });
}

}  // namespace v0
}  // namespace gpukeeper
