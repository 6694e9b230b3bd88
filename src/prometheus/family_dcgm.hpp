#pragma once

#include "prometheus/exposition.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::prometheus {

/// The default counters of NVIDIA's DCGM exporter under their names, labels, types and units (etc/default-counters.csv
/// of dcgm-exporter 3 and 4, and what these print), so that dashboards made for it work. Those for which nothing is
/// known here are absent: the licence of virtual GPUs, and the profiling metrics but for PCIe, which need DCGM itself.
/// GPUs of other vendors stand among them. Of pods only their uids are known, so the label `pod` bears these and
/// `namespace` is empty; both, and `container`, only where all processes on the GPU are of the same one.
void write_dcgm(Exposition& out, const Snapshot& snapshot);

}  // namespace gpukeeper::prometheus
