#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "service/http.hpp"
#include "telemetry/history.hpp"
#include "telemetry/leak_watch.hpp"
#include "telemetry/older_history.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What the past is answered from. Each may give null: there is no engine yet.
struct Past {
  std::function<std::shared_ptr<const History>()> history = [] { return nullptr; };
  std::function<std::shared_ptr<const std::vector<LeakSuspect>>()> leaks = [] { return nullptr; };
  /// What lies further back; null where nothing is kept.
  std::function<std::shared_ptr<const OlderHistory>()> older = [] { return nullptr; };
};

/// GET /api/v1/history?metric=&device=&since=&step=: what the GPUs did, in buckets. Several metrics or devices are
/// separated by commas; without `since` the last hour, without `step` about 300 buckets.
/// 400 for a parameter that is unknown or wrong, 404 for a device or a metric that is not kept, 503 before the first
/// tick.
Response history_answer(const Request& request, const Past& past, const Snapshot& snapshot);

/// GET /api/v1/trend?device=&minutes=: where the temperatures are going; without `minutes` over the last five. Errors
/// as above.
Response trend_answer(const Request& request, const Past& past, const Snapshot& snapshot);

}  // namespace gpukeeper::service
