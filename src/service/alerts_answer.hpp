#pragma once

#include <functional>

#include "policy/andon/silence.hpp"
#include "service/ask_engine.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// GET /api/v1/alerts: those that fire; with ?all=true those that pend and have ended, too; with ?device= those of one
/// device. 400 for any other parameter, 404 for a device that there is not, 503 before the first snapshot.
Response alerts_answer(const Request& request, const Snapshot& snapshot);

/// GET /api/v1/silences.
Response silences_answer(const SilenceList& silences);

/// How alerts are changed.
struct AlertCommands {
  Post post;
  /// Told of what was answered to a command that was done; null where it was not. On any thread; may be empty.
  std::function<void(const Response*)> done = nullptr;
};

// Bodies are JSON objects; 400 says what is wrong with one, 404 that there is no such alert or silence. What the engine
// is asked is answered later (ask_engine.hpp).

/// POST /api/v1/alerts/{id}/ack: 204.
Response acknowledge(const Request& request, const AlertCommands& commands);
/// DELETE /api/v1/alerts/{id}/ack: 204.
Response unacknowledge(const Request& request, const AlertCommands& commands);
/// POST /api/v1/silences: 201 with the silence.
Response begin_silence(const Request& request, const AlertCommands& commands);
/// DELETE /api/v1/silences/{id}: 204.
Response end_silence(const Request& request, const AlertCommands& commands);

}  // namespace gpukeeper::service
