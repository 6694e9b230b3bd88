#pragma once

#include <memory>
#include <string>
#include <vector>

#include "faults/fault_journal.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Which faults to tell of, and where they come from.
struct FaultsView {
  std::vector<std::shared_ptr<const FaultRecord>> faults;  ///< newest first
  std::vector<FaultTotal> totals;                          ///< of the journal they were chosen from
  std::string journal;                                     ///< where it is kept; empty when it is not
  std::string journal_note;  ///< why it is not, or what is wrong with it; empty when all is well
};

/// `gpukeeper faults --json`: as docs/schema/faults.json describes it. On one line without a line end, or indented for
/// reading. The snapshot says what the devices' indices are and which sources of events could be read.
std::string faults_json(const FaultsView& view, const Snapshot& snapshot, bool indented);

/// The published schema itself (JSON Schema 2020-12).
std::string faults_schema();

}  // namespace gpukeeper
