#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "machine/machine_reader.hpp"
#include "service/documented/words.hpp"
#include "telemetry/snapshot.hpp"

// Included by source files only: words.hpp is heavy.

/// What the system monitor of the documents tells as it happens. `facts`, of the computer, may be null where nobody
/// looks at it.
namespace gpukeeper::service::documented {

/// How soon the next update follows.
enum class Urgency { standard, important, critical };
std::chrono::seconds period_of(Urgency urgency);

/// What the GPUs and the computer demand.
Urgency urgency_of(const Snapshot& snapshot, const MachineFacts* facts);

/// `system:initial_status`
Json initial_status(const Snapshot& snapshot, const MachineFacts* facts);

/// `system:metrics_update`. Command lines are in none.
Json metrics_update(const Snapshot& snapshot, const MachineFacts* facts, Urgency urgency, std::uint64_t count);

/// The alerts of `system:alerts`: a list, mostly empty.
Json live_alerts(const Snapshot& snapshot, const MachineFacts* facts);

/// {"alerts": […], "count": …, "timestamp": …}
Json alerts_object(Json alerts, WallTime at);

/// Finds GPUs that are busy for long, each episode once: `high_gpu_usage_alert`.
///
/// Threads: one.
class HighUsage {
 public:
  HighUsage(Percent border, std::chrono::nanoseconds time) : border_(border), time_(time) {}

  /// The alerts of the episodes that are long enough since the last look: a list, mostly empty.
  Json look(const Snapshot& snapshot);

  /// Those of the episodes that last: for who comes later.
  Json told() const;

 private:
  struct Episode {
    MonotonicTime since{};
    bool told = false;
    Json alert = nullptr;
  };
  const Percent border_;
  const std::chrono::nanoseconds time_;
  std::map<DeviceId, Episode> episodes_;
};

}  // namespace gpukeeper::service::documented
