#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/units.hpp"
#include "device/device.hpp"
#include "device/metric.hpp"
#include "device/process_facts.hpp"

namespace gpukeeper {

/// What a process has open on the device; one process may have several kinds.
struct ProcessType {
  bool compute = false;
  bool graphics = false;
  bool mps = false;  ///< a client of NVIDIA's multi-process service

  /// "compute", "graphics", "compute+graphics", "mps", or "unknown" when none is known.
  std::string to_string() const;
  friend bool operator==(const ProcessType&, const ProcessType&) = default;
};

/// One process on one device; lists hold every pid once, merged over its contexts, ordered by pid.
struct GpuProcess {
  std::int64_t pid = 0;        ///< as the host counts, or who asks (proc/pid_namespace.hpp), unless:
  bool found_in_proc = false;  ///< the source met the pid in this machine's /proc, so it counts as that does
  std::string name;            ///< executable's name; empty when it could not be read
  ProcessType type;
  Metric<Bytes> memory = missing(Missing::not_supported);
  Metric<Percent> utilization = missing(Missing::not_supported);  ///< of the SMs, or of the busiest engine
  Metric<Percent> utilization_memory = missing(Missing::not_supported);
  Metric<Percent> utilization_encoder = missing(Missing::not_supported);
  Metric<Percent> utilization_decoder = missing(Missing::not_supported);
  std::optional<DeviceId> partition;  ///< the MIG instance or XCP it runs in
  /// Who it is, where the source itself says so (a scenario, a recording); null where this machine is to be asked.
  std::shared_ptr<const ProcessFacts> facts = nullptr;
};

}  // namespace gpukeeper
