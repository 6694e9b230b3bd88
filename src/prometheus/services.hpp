#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "telemetry/snapshot.hpp"

namespace gpukeeper::prometheus {

/// What a process is part of, as far as that is known, by what is steady over its restarts: "pod/ml/trainer-0",
/// where only its uid is known "pod/5c6a0d3e-…", "slurm/4711", "docker/4f1c9a77ab12", "ollama.service", "user/mara";
/// "unknown" when nothing is known of it.
std::string service_of(const ProcessFacts* facts);

struct ServiceMemory {
  std::string service;  ///< as a label's value may be
  std::uint64_t bytes = 0;
};

/// The memory of one GPU by service, the largest first: `most` of them at the most, and then "other" for the rest.
/// Processes whose memory nobody tells are not in it.
std::vector<ServiceMemory> memory_by_service(const Snapshot& snapshot, const DeviceSnapshot& device, std::size_t most);

}  // namespace gpukeeper::prometheus
