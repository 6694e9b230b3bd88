// What a daemon, perhaps of another version, answers to `gpukeeper alerts`; and the documented form of one alert.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "format/alerts_json.hpp"
#include "format/gpu_alert_json.hpp"

using namespace gpukeeper;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto document = parse_alerts(text)) {
    Snapshot snapshot;
    snapshot.host = document->host;
    snapshot.taken_at = document->taken_at;
    snapshot.lamp = document->lamp;
    // What was read is written so that it is read again, and no alert is lost on the way.
    const auto again = parse_alerts(alerts_json(document->alerts, snapshot, false));
    if (!again || again->alerts.size() != document->alerts.size()) std::abort();
    for (const Alert& alert : document->alerts) {
      if (alert.severity < 0 || alert.severity > 100) std::abort();
    }
  }
  if (const auto silences = parse_silences(text)) {
    const auto again = parse_silences(silences_json(*silences, true));
    if (!again || again->size() != silences->size()) std::abort();
  }
  const auto alert = parse_gpu_alert(text);
  if (!alert && alert.error().message.empty()) std::abort();
  if (alert && parse_gpu_alert(to_json(*alert)).value() != *alert) std::abort();
  return 0;
}
