#include "embed/cpp/snapshot_metrics.hpp"

#include <cmath>

#include <fmt/format.h>

#include "format/snapshot_reader.hpp"
#include "policy/andon/gpu_alert.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper::embed {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;

template <class T>
std::optional<double> number(const Metric<T>& metric) {
  return metric ? std::optional<double>(metric->value()) : std::nullopt;
}

// In whole units, cut off.
template <class T>
std::optional<std::uint32_t> units(const Metric<T>& metric) {
  return metric ? std::optional(whole(static_cast<double>(metric->value()))) : std::nullopt;
}

std::optional<std::uint64_t> bytes(const Metric<Bytes>& metric) {
  return metric ? std::optional(metric->value()) : std::nullopt;
}

std::optional<std::uint64_t> mebibytes(const Metric<Bytes>& metric) {
  return metric ? std::optional(metric->value() / kMiB) : std::nullopt;
}

std::optional<std::uint64_t> kilobytes(const Metric<BytesPerSecond>& metric) {
  return metric ? std::optional<std::uint64_t>(whole(static_cast<double>(metric->value()) / 1000)) : std::nullopt;
}

GpuMetrics::Process process_of(const GpuProcess& process, const ProcessFacts* facts) {
  GpuMetrics::Process result{.pid = whole(static_cast<double>(process.pid)),
                             .exe_path = fmt::format("[pid {}]", process.pid),
                             .gpu_memory_mb = mebibytes(process.memory)};
  if (!facts) return result;
  if (facts->executable) result.exe_path = *facts->executable;
  result.cpu_percent = number(facts->cpu);
  result.rss_mb = mebibytes(facts->resident);
  return result;
}

GpuMetrics metrics_of(const Snapshot& snapshot, const DeviceSnapshot& device) {
  const Reading& r = device.reading;
  GpuMetrics m{.device_id = device.index,
               .name = device.device->name,
               .utilization_percent = units(r.utilization),
               .memory_used_bytes = bytes(r.memory_used),
               .memory_total_bytes = bytes(r.memory_total),
               .memory_utilization_percent = units(r.utilization_memory),
               .temperature_celsius = units(guarding_temperature(r)),
               .power_watts = number(r.power),
               .power_limit_watts = number(r.power_limit),
               .clock_mhz = units(r.clock_graphics),
               .memory_clock_mhz = units(r.clock_memory),
               .pcie_tx_kbps = kilobytes(r.pcie_tx),
               .pcie_rx_kbps = kilobytes(r.pcie_rx),
               .fan_speed_percent = units(r.fan),
               .available = device.available,
               .reason = device.reason,
               .simulated = device.device->simulated || device.device->recorded};
  for (const GpuProcess& process : *device.processes) {
    m.processes.push_back(process_of(process, facts_of(snapshot, device, process)));
  }
  return m;
}

template <class T>
void set(Metric<T>& metric, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) metric = T(*value);
}

}  // namespace

std::vector<GpuMetrics> metrics_of(const Snapshot& snapshot) {
  std::vector<GpuMetrics> result;
  for (const DeviceSnapshot& device : snapshot.devices) result.push_back(metrics_of(snapshot, device));
  return result;
}

Snapshot snapshot_of(const std::vector<GpuMetrics>& metrics) {
  Snapshot snapshot;
  for (const GpuMetrics& m : metrics) {
    DeviceSnapshot device;
    device.index = m.device_id;
    set(device.reading.utilization, m.utilization_percent);
    set(device.reading.temperature, m.temperature_celsius);
    set(device.reading.power, m.power_watts);
    if (m.memory_used_bytes) device.reading.memory_used = Bytes(*m.memory_used_bytes);
    snapshot.devices.push_back(std::move(device));
  }
  return snapshot;
}

}  // namespace gpukeeper::embed

namespace gpukeeper {
inline namespace v0 {

std::optional<std::vector<GpuMetrics>> read_snapshot(std::string_view json, std::string* mistake) {
  auto snapshot = parse_snapshot(json);
  if (snapshot) return embed::metrics_of(*snapshot);
  if (mistake) *mistake = std::move(snapshot.error().message);
  return std::nullopt;
}

}  // namespace v0
}  // namespace gpukeeper
