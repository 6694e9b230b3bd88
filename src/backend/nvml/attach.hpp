#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/nvml/device_reader.hpp"
#include "backend/nvml/process_reader.hpp"
#include "backend/nvml/session.hpp"
#include "device/device.hpp"

namespace gpukeeper::nvml {

/// What holds for all devices of a session.
struct SystemFacts {
  Device::Text driver_version = missing(Missing::not_supported);
  Device::Text library_version = missing(Missing::not_supported);
  Device::Text cuda_version = missing(Missing::not_supported);
};
SystemFacts read_system_facts(const Session& session);

/// A device as it was found when a session began: who it is, and what of it does not change.
struct Found {
  Device device;
  Attached attached;
  int mig_mode = -1;  ///< 0, 1; -1 where the device does not know MIG
  int calls = 0;      ///< what it took
};

/// Asks a device who it is. The code that ended it where it is lost; anything else missing is only missing.
abi::Code find_device(const Session& session, abi::Handle handle, const SystemFacts& system, Found& found);

/// One MIG instance.
struct FoundPartition {
  Device device;
  ProcessPartition place;
};

/// The MIG instances of a device, in the driver's order. `calls` grows by what it took.
std::vector<FoundPartition> find_partitions(const Session& session, abi::Handle handle, const Device& parent,
                                            int& calls);

/// The mode now: 0, 1, or -1 where the device does not know MIG or the answer failed.
int read_mig_mode(const Session& session, abi::Handle handle, int& calls);

/// The CPUs near the device as the driver knows them, for where the kernel's files do not tell.
Device::Text read_cpu_affinity(const Session& session, abi::Handle handle, int& calls);

}  // namespace gpukeeper::nvml
