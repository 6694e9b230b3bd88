#pragma once

#include <optional>
#include <string_view>

#include "backend/simulated/curve.hpp"
#include "device/process_facts.hpp"
#include "yaml/values.hpp"

// Who a scenario's process is. As in yaml/values.hpp, a mistake is thrown as yaml::Refused.
namespace gpukeeper::simulated {

/// Who a process is: what stays, and what follows from its time.
struct Identity {
  ProcessFacts facts;             ///< without pid, start, processor use and resident memory
  double age = 0;                 ///< seconds that it had run when it appears
  std::optional<Curve> cpu;       ///< percent of one core
  std::optional<Curve> resident;  ///< bytes
};

/// The keys of a process that say who it is; they stand beside its others.
yaml::Words identity_keys();

/// Reads them out of a process. What is not given is absent as not_supported: a scenario's process is never looked up.
Identity identity(const yaml::YamlNode& process);

/// PID_MAX_LIMIT of 64-bit Linux.
inline constexpr std::uint64_t kMaxPid = 1 << 22;

}  // namespace gpukeeper::simulated
