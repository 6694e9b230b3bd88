#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "policy/andon/silence.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Which alerts to tell of.
struct AlertQuery {
  bool all = false;                  ///< those that pend and those that have ended, too
  std::vector<std::string> devices;  ///< selectors; empty: all, and those of the machine as a whole
};

/// Those of the snapshot's alerts, in its order.
/// Errors: not_found for a device that there is not.
Result<AlertList> choose_alerts(const Snapshot& snapshot, const AlertQuery& query);

/// `gpukeeper alerts --json`: as docs/schema/alerts.json describes it. On one line without a line end, or indented for
/// reading.
std::string alerts_json(const AlertList& alerts, const Snapshot& snapshot, bool indented);

/// What alerts_json wrote, as far as pages need it; foreign input, as a daemon may be of another version.
struct AlertsDocument {
  std::string host;
  WallTime taken_at{};
  Lamp lamp = Lamp::off;
  std::size_t devices = 0;                  ///< that are watched
  std::map<DeviceId, std::string> made_up;  ///< of those that are not this machine's own: "simulated" or "recorded"
  AlertList alerts;
};
/// Of a snapshot itself, with these of its alerts.
AlertsDocument alerts_document(const Snapshot& snapshot, AlertList alerts);
/// Errors: invalid_argument.
Result<AlertsDocument> parse_alerts(std::string_view json);

/// `gpukeeper alerts silences --json` and GET /api/v1/silences.
std::string silences_json(const SilenceList& silences, bool indented);
/// One of them, as POST /api/v1/silences answers.
std::string silence_json(const Silence& silence);
/// Errors: invalid_argument.
Result<SilenceList> parse_silences(std::string_view json);

/// The published schema of alerts_json (JSON Schema 2020-12).
std::string alerts_schema();

}  // namespace gpukeeper
