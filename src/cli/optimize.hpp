#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/lease_desk.hpp"

// Commands that have memory given back, and that say what it would take.
namespace gpukeeper::cli {

/// Has memory given back, once: what really came back, as the driver showed it.
struct OptimizeOptions {
  std::string service;               ///< only its leases; empty for all
  std::vector<std::string> devices;  ///< at most one
  std::string memory;                ///< make room for so much, in place of the threshold; as for allocate; or empty
  std::uint64_t gpus = 1;            ///< of that room
  bool scrub = false;
  bool json = false;
  DeskOptions desk = {};
};
Exit optimize(const OptimizeOptions& options, Context& context);

/// What would have to move or end so that so much fits on one GPU, or on several at once. 1 when nothing would help.
struct PlanOptions {
  std::string memory;
  std::uint64_t gpus = 1;
  std::vector<std::string> devices;  ///< at most one
  bool json = false;
  DeskOptions desk = {};
};
Exit plan(const PlanOptions& options, Context& context);

/// optimize, again and again until it is interrupted.
struct LoopOptions {
  std::chrono::nanoseconds interval = std::chrono::seconds(300);
  bool json = false;  ///< a line a time
  DeskOptions desk = {};
};
Exit loop(const LoopOptions& options, Context& context);

/// The report of one run, a JSON document. Errors: as the desk's; unavailable when the daemon did not finish in time.
Result<std::string> reclaim(LeaseDesk& desk, const std::string& body, Context& context);

}  // namespace gpukeeper::cli
