#include "service/health.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::service {
namespace {

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(std::chrono::round<std::chrono::milliseconds>(time)).count();
}

std::string_view word(Health health) {
  switch (health) {
    case Health::starting: return "starting";
    case Health::healthy: return "healthy";
    case Health::degraded: return "degraded";
    case Health::paused: return "paused";
    case Health::stalled: return "stalled";
  }
  return "stalled";
}

// A device that sleeps is well.
bool is_missed(const DeviceSnapshot& device) {
  return !device.available && device.reading.attention != Attention::asleep;
}

Json reasons(const Snapshot& snapshot, Health health, std::chrono::nanoseconds age, const EngineTrouble& trouble,
             const std::vector<std::string>& others) {
  Json result = Json::array();
  if (health == Health::stalled) {
    result.push_back(fmt::format("no snapshot was made for {} s{}", static_cast<long>(seconds(age)),
                                 trouble.lasting ? "" : ": a driver may hang"));
  }
  if (trouble.lasting) {
    result.push_back(
        fmt::format("gpukeeper itself fails, for the {}. time: {}", trouble.count, harmless(trouble.last)));
  }
  if (health == Health::paused) result.push_back("monitoring is off: gpukeeper monitoring start");
  for (const SourceStatus& source : snapshot.sources) {
    if (!source.available) result.push_back(fmt::format("source {}: {}", source.name, source.message));
  }
  for (const DeviceSnapshot& device : snapshot.devices) {
    if (is_missed(device)) result.push_back(fmt::format("GPU {}: {}", device.index, device.reason));
  }
  for (const std::string& other : others) result.push_back(other);
  return result;
}

std::chrono::nanoseconds age_of(const Snapshot& snapshot, const HealthFacts& facts, MonotonicTime now) {
  return now - (snapshot.sequence == 0 ? facts.started : snapshot.monotonic);
}

}  // namespace

Health health(const Snapshot& snapshot, const HealthFacts& facts, MonotonicTime now, bool monitoring,
              const EngineTrouble& trouble) {
  if (!monitoring && snapshot.sequence > 0) return Health::paused;
  if (std::min(age_of(snapshot, facts, now), now - facts.paced_since) > facts.stalled_after) return Health::stalled;
  if (snapshot.sequence == 0) return Health::starting;
  const bool sources = std::ranges::all_of(snapshot.sources, &SourceStatus::available);
  const bool devices = std::ranges::none_of(snapshot.devices, is_missed);
  return sources && devices && !trouble.lasting ? Health::healthy : Health::degraded;
}

Response health_answer(const Snapshot& snapshot, const HealthFacts& facts, MonotonicTime now, bool monitoring,
                       const EngineTrouble& trouble, const std::vector<std::string>& others) {
  Health state = health(snapshot, facts, now, monitoring, trouble);
  if (state == Health::healthy && !others.empty()) state = Health::degraded;
  const auto age = age_of(snapshot, facts, now);
  const auto available = std::ranges::count_if(snapshot.devices, &DeviceSnapshot::available);
  const bool looked = snapshot.sequence > 0;
  const Json document = {
      {"status", word(state)},
      {"service", "gpukeeper"},
      {"version", facts.version},
      {"host", text_or_null(snapshot.host)},
      {"uptime_seconds", seconds(now - facts.started)},
      {"sequence", snapshot.sequence},
      {"taken_at", looked ? Json(rfc3339(snapshot.taken_at)) : Json()},
      {"last_tick_age_seconds", looked ? Json(seconds(age)) : Json()},
      {"devices", {{"total", snapshot.devices.size()}, {"available", available}}},
      {"failed_steps", trouble.count},
      {"reasons", reasons(snapshot, state, age, trouble, others)},
  };
  auto response = json_answer(state == Health::stalled ? 503 : 200, dump(document, false) + "\n");
  if (state == Health::stalled) response.headers.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace gpukeeper::service
