#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "format/fault_query.hpp"

namespace gpukeeper::cli {

struct FaultsOptions {
  enum class Form { table, json, schema };
  Form form = Form::table;
  bool all = false;     ///< every fault, and every one explained
  bool follow = false;  ///< goes on with each fault as it happens, until interrupted or a recording is over
  FaultQuery query = {};
  std::vector<std::string> sources = {};                ///< as given to --source
  std::optional<std::chrono::nanoseconds> length = {};  ///< how long a simulated machine is played
  bool asks = false;                                    ///< a daemon that runs is asked
  std::string daemon = {};                              ///< as given to --host
  std::string state_dir = {};                           ///< where the journal is kept; empty for the usual place
};

/// `gpukeeper faults`: what went wrong with the GPUs. Of a daemon: what its journal holds. Of this machine: what the
/// journal holds, and what the kernel's log and the readings show now. Of a recording: all of it, or what came before
/// --at. Of a simulated machine: so much of its time. With `follow` the newest ten, or as many as are asked for, and
/// then each that this process sees.
Exit faults(const FaultsOptions& options, Context& context);

}  // namespace gpukeeper::cli
