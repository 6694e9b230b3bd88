#pragma once

#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Who a process on a device is: as the snapshot's table says, else as its source says; null when nothing is known.
/// `device` may be a partition that was chosen without its device.
const ProcessFacts* facts_of(const Snapshot& snapshot, const DeviceSnapshot& device, const GpuProcess& process);

/// Whether two devices are of one machine, so that one pid on both is one process.
bool same_machine(const Device& a, const Device& b);

}  // namespace gpukeeper
