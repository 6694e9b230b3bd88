#include "gpukeeper/gpu_metrics_buffer.hpp"

#include <algorithm>

namespace gpukeeper {
inline namespace v0 {
namespace {

template <class T>
std::vector<std::optional<T>> history(const std::map<std::uint32_t, std::deque<GpuMetrics>>& samples,
                                      std::uint32_t device, auto value) {
  std::vector<std::optional<T>> result;
  const auto found = samples.find(device);
  if (found == samples.end()) return result;
  for (const GpuMetrics& sample : found->second) result.push_back(value(sample));
  return result;
}

}  // namespace

GpuMetricsBuffer::GpuMetricsBuffer(std::size_t capacity, std::size_t num_devices)
    : capacity_(std::max<std::size_t>(capacity, 1)) {
  static_cast<void>(num_devices);  // room is made as it is needed: a number says nothing of which ids will come
}

void GpuMetricsBuffer::push(std::span<const GpuMetrics> samples) {
  for (const GpuMetrics& sample : samples) {
    auto& of_device = samples_[sample.device_id];
    of_device.push_back(sample);
    if (of_device.size() > capacity_) of_device.pop_front();
  }
}

std::vector<GpuMetrics> GpuMetricsBuffer::last_n(std::uint32_t device, std::size_t n) const {
  const auto found = samples_.find(device);
  if (found == samples_.end()) return {};
  const auto& all = found->second;
  return {all.end() - static_cast<std::ptrdiff_t>(std::min(n, all.size())), all.end()};
}

std::vector<std::optional<std::uint32_t>> GpuMetricsBuffer::utilization_history(std::uint32_t device) const {
  return history<std::uint32_t>(samples_, device, [](const GpuMetrics& m) { return m.utilization_percent; });
}

std::vector<std::optional<std::uint32_t>> GpuMetricsBuffer::temperature_history(std::uint32_t device) const {
  return history<std::uint32_t>(samples_, device, [](const GpuMetrics& m) { return m.temperature_celsius; });
}

std::vector<std::optional<double>> GpuMetricsBuffer::memory_history(std::uint32_t device) const {
  return history<double>(samples_, device, [](const GpuMetrics& m) { return m.memory_percent(); });
}

std::size_t GpuMetricsBuffer::len(std::uint32_t device) const {
  const auto found = samples_.find(device);
  return found == samples_.end() ? 0 : found->second.size();
}

}  // namespace v0
}  // namespace gpukeeper
