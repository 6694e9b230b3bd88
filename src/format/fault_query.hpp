#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "faults/fault_journal.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Which faults of the journal are asked for; what is left empty lets all pass.
struct FaultQuery {
  std::vector<std::string> devices = {};  ///< selectors
  std::optional<Severity> severity = {};  ///< this and what is worse
  std::vector<EventKind> kinds = {};      ///< of these
  std::optional<std::string> since = {};  ///< as given: "24h", or a date
  std::optional<std::size_t> limit = {};  ///< the newest so many
};

/// The names of all kinds and of all severities, as a person gives them.
std::vector<std::string> fault_kind_names();
std::vector<std::string> severity_names();

/// The kind or severity of that name. Errors: invalid_argument; the message lists those that there are.
Result<EventKind> parse_fault_kind(std::string_view name);
Result<Severity> parse_severity(std::string_view name);

/// The moment that a text names, seen from `now`: "90s", "24h", "7d" ago, or a date as RFC 3339 has them.
/// Errors: invalid_argument for anything else.
Result<WallTime> parse_since(std::string_view text, WallTime now);

/// Those of the journal's faults that are asked for, newest first, each time the latest occurrence counts.
/// Errors: not_found for a device that is neither listed nor in the journal; invalid_argument as parse_since.
Result<std::vector<std::shared_ptr<const FaultRecord>>> choose_faults(const FaultList& list, const Snapshot& snapshot,
                                                                      const FaultQuery& query);

}  // namespace gpukeeper
