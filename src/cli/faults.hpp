#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "format/faults_json.hpp"

namespace gpukeeper::cli {

struct FaultsOptions {
  enum class Form { table, json, schema };
  Form form = Form::table;
  bool all = false;                                     ///< every fault, and every one explained
  std::vector<std::string> devices = {};                ///< selectors; empty for all
  std::optional<Severity> severity = {};                ///< this and what is worse
  std::vector<EventKind> kinds = {};                    ///< empty for all
  std::optional<std::string> since = {};                ///< as given: "24h", or a date
  std::optional<std::size_t> limit = {};                ///< the newest so many
  std::vector<std::string> sources = {};                ///< as given to --source
  std::optional<std::chrono::nanoseconds> length = {};  ///< how long a simulated machine is played
  std::string state_dir = {};                           ///< where the journal is kept; empty for the usual place
};

/// `gpukeeper faults`: what went wrong with the GPUs. Of this machine: what the journal holds, and what the kernel's
/// log and the readings show now. Of a recording: all of it. Of a simulated machine: so much of its time.
Exit faults(const FaultsOptions& options, Context& context);

/// The names of all kinds, for --kind.
std::vector<std::string> fault_kind_names();

/// The moment that a text names, seen from `now`: "90s", "24h", "7d" ago, or a date as RFC 3339 has them.
/// Errors: invalid_argument for anything else.
Result<WallTime> parse_since(std::string_view text, WallTime now);

/// Those of the journal's faults that are asked for, newest first, each time the latest occurrence counts.
/// Errors: not_found for a device that is neither listed nor in the journal; invalid_argument as parse_since.
Result<std::vector<std::shared_ptr<const FaultRecord>>> choose_faults(const FaultList& list, const Snapshot& snapshot,
                                                                      const FaultsOptions& options);

}  // namespace gpukeeper::cli
