#pragma once

#include "format/history_view.hpp"
#include "telemetry/older_history.hpp"

namespace gpukeeper {

/// As gather_history of a history in memory, and where that does not reach as far back, of what is kept longer; null
/// where nothing is. Where that cannot be read there is a gap, and HistoryView::incomplete says why.
Result<HistoryView> gather_history(const History& history, const OlderHistory* older, const Snapshot& snapshot,
                                   const HistoryQuery& query);

}  // namespace gpukeeper
