#pragma once

#include "gpukeeper/gpu_alert.hpp"
#include "gpukeeper/gpu_andon_system.hpp"
#include "gpukeeper/gpu_metrics.hpp"

/// The names that the guide uses, where they are others than ours.
namespace gpukeeper {
inline namespace v0 {
namespace gpu {

using AndonSystem = GpuAndonSystem;
using GpuProcess = GpuMetrics::Process;

}  // namespace gpu
}  // namespace v0
}  // namespace gpukeeper
