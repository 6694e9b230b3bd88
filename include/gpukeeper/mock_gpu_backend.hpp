#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gpukeeper/export.hpp"
#include "gpukeeper/gpu_backend.hpp"
#include "gpukeeper/gpu_metrics.hpp"

namespace gpukeeper {
inline namespace v0 {

/// The documented mock GPU of that number: 75 % busy, 65 °C, 8 of 24 GiB, 250 of 450 W, one process.
GPUKEEPER_API GpuMetrics mock_gpu_metrics(std::uint32_t device_id);

/// The same with other numbers, as a training's vary: by trunc(v * 10) points of utilization (within 0 to 100), half as
/// many degrees (within 30 to 100) and v * 20 watts (within 0 to the limit). What is absent stays so.
GPUKEEPER_API GpuMetrics varied(GpuMetrics metrics, double v);

/// GPUs made up for a test, in a chain:
///
///     auto mock = MockGpuBackend().with_device(0, "Mock GPU 0").with_temperature(75).with_memory(8ULL << 30, 16ULL <<
///     30);
///
/// Each with_… after a device speaks of that one, before any of GPU 0. What is not said is absent.
class GPUKEEPER_API MockGpuBackend final : public GpuBackend {
 public:
  MockGpuBackend() = default;
  explicit MockGpuBackend(std::vector<GpuMetrics> devices) : devices_(std::move(devices)) {}

  /// Another GPU; or that one again, if it is there.
  [[nodiscard]] MockGpuBackend with_device(std::uint32_t id, std::string name) const;
  [[nodiscard]] MockGpuBackend with_temperature(std::uint32_t celsius) const;
  [[nodiscard]] MockGpuBackend with_utilization(std::uint32_t percent) const;
  [[nodiscard]] MockGpuBackend with_memory(std::uint64_t used_bytes, std::uint64_t total_bytes) const;
  [[nodiscard]] MockGpuBackend with_power(double watts, double limit_watts) const;

  std::uint32_t num_devices() override { return static_cast<std::uint32_t>(devices_.size()); }
  std::vector<GpuMetrics> collect_metrics() override { return devices_; }

 private:
  template <class Change>
  MockGpuBackend changed(Change change) const;

  std::vector<GpuMetrics> devices_;
  std::size_t chosen_ = 0;
};

}  // namespace v0
}  // namespace gpukeeper
