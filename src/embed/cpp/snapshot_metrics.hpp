#pragma once

#include <vector>

#include "gpukeeper/gpu_metrics.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::embed {

/// The GPUs of a snapshot as the documented record; partitions stand for themselves nowhere in it.
std::vector<GpuMetrics> metrics_of(const Snapshot& snapshot);

/// The other way: a snapshot with as much as the documented metrics need.
Snapshot snapshot_of(const std::vector<GpuMetrics>& metrics);

}  // namespace gpukeeper::embed
