#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"
#include "cli/lease_desk.hpp"

namespace gpukeeper::cli {

/// The commands of `optimize_gpu_resources.py` with their documented texts, for scripts that read these. What is not
/// known is N/A, MB are MiB, and the exit status is honest: 1 for what failed. The commands of gpukeeper's own say
/// more.
struct OptimizerOptions {
  std::string action;              ///< status, optimize, allocate, deallocate, loop, export or report
  std::vector<std::string> words;  ///< what stands behind it
  std::string device;              ///< of allocate: the one that is preferred
  std::chrono::nanoseconds interval = std::chrono::seconds(300);  ///< of loop
  bool verbose = false;                                           ///< says on standard error what it asks
  DeskOptions desk = {};
};

Exit optimizer(const OptimizerOptions& options, Context& context);

// The texts, of gpukeeper.status/1, gpukeeper.leases/1 and gpukeeper.reclaim/1.

std::string optimizer_status(std::string_view status, std::string_view leases);
/// Of gpukeeper.reclaim/1: what the driver showed to have come back, by GPU and documented type.
std::string optimizer_results(std::string_view service, std::string_view report);
/// Its recommendations are the documented ones, and behind them what else should be done about the memory.
std::string optimizer_report(std::string_view status, std::string_view leases, bool running);
/// The same of what a desk says now: `optimizer report`, and the begin of `report`.
Result<std::string> documented_report(LeaseDesk& desk, const Context& context);
/// What `get_optimization_status()` returns, as JSON; null for what is not known.
std::string optimizer_export(std::string_view status, std::string_view leases, bool running);

}  // namespace gpukeeper::cli
