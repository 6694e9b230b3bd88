#pragma once

#include "prometheus/exposition.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::prometheus {

/// The default counters of NVIDIA's DCGM exporter under their names, labels, types and units (etc/default-counters.csv
/// of dcgm-exporter 3 and 4, and what these print), so that dashboards made for it work. Those for which nothing is
/// known here are absent: the licence of virtual GPUs, and the profiling metrics but for PCIe, which need DCGM itself.
/// GPUs of other vendors stand among them. `pod`, `namespace` and `container` are those of the processes on
/// the GPU, each only where it is the same of all. Where a pod's names are not known, `pod` bears its uid, `container`
/// the begin of its id, and `namespace` nothing.
void write_dcgm(Exposition& out, const Snapshot& snapshot);

}  // namespace gpukeeper::prometheus
