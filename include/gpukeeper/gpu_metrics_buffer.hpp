#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "gpukeeper/export.hpp"
#include "gpukeeper/gpu_metrics.hpp"

namespace gpukeeper {
inline namespace v0 {

/// The last samples of each GPU, for curves. A GPU that it has not met before gets its own room.
///
/// Histories are oldest first, one value a sample, empty where the sample has none, so that they stay in step.
/// Threads: one at a time.
class GPUKEEPER_API GpuMetricsBuffer {
 public:
  /// `capacity`: samples of each GPU; at least one is kept. `num_devices` says how many are expected, no more.
  explicit GpuMetricsBuffer(std::size_t capacity, std::size_t num_devices = 0);

  void push(std::span<const GpuMetrics> samples);

  /// The latest `n`, oldest first; fewer where there are no more, none of a GPU never seen.
  std::vector<GpuMetrics> last_n(std::uint32_t device, std::size_t n) const;

  std::vector<std::optional<std::uint32_t>> utilization_history(std::uint32_t device) const;
  std::vector<std::optional<std::uint32_t>> temperature_history(std::uint32_t device) const;
  std::vector<std::optional<double>> memory_history(std::uint32_t device) const;  ///< how full, in percent

  std::size_t len(std::uint32_t device) const;
  bool is_empty(std::uint32_t device) const { return len(device) == 0; }

 private:
  std::size_t capacity_;
  std::map<std::uint32_t, std::deque<GpuMetrics>> samples_;  // by device, oldest first
};

}  // namespace v0
}  // namespace gpukeeper
