#pragma once

#include <cstdint>
#include <vector>

#include "gpukeeper/export.hpp"
#include "gpukeeper/gpu_metrics.hpp"

namespace gpukeeper {
inline namespace v0 {

/// Where a GpuMonitor gets its numbers from: the machine, a mock, or a class of your own (examples/cpp/custom_backend).
///
/// Threads: one call at a time.
class GPUKEEPER_API GpuBackend {
 public:
  virtual ~GpuBackend();

  /// How many GPUs there are.
  virtual std::uint32_t num_devices() = 0;

  /// Every GPU now, by device_id. One that does not answer is among them, with `available` false and a reason.
  /// May throw Error where not even that is known.
  virtual std::vector<GpuMetrics> collect_metrics() = 0;
};

}  // namespace v0
}  // namespace gpukeeper
