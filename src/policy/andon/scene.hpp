#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "device/metric_table.hpp"
#include "faults/fault_journal.hpp"
#include "policy/andon/andon_settings.hpp"
#include "policy/andon/rule_table.hpp"
#include "proc/host_load.hpp"
#include "telemetry/leak_watch.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// What a snapshot does not say.
struct AndonFacts {
  std::shared_ptr<const FaultList> faults;                ///< null where no journal is kept
  HostLoad host;                                          ///< of the machine whose devices these are
  std::shared_ptr<const std::vector<LeakSuspect>> leaks;  ///< null where nobody looks for any
  std::string trouble = {};  ///< what failed in gpukeeper itself since the snapshot before; empty: nothing
};

/// What a rule found, at one look. Two signs of a rule on a device have different subjects.
struct Sign {
  std::string subject;                 ///< empty where there can be only one
  std::optional<AlertLevel> reached;   ///< nothing: not far enough to begin an alert, but one that fires is kept
  AlertLevel kept = AlertLevel::info;  ///< what an alert that fires keeps of its level; never below `reached`
  int severity = 0;
  double value = 0;
  double threshold = 0;  ///< where there is a border
  std::string message;
  std::string remedy;  ///< empty: the rule's
};

/// What rules remember of a device from look to look.
struct DeviceMemory {
  bool was_available = false;
  std::optional<MonotonicTime> unavailable_since;
  std::optional<MonotonicTime> idle_since;  ///< while a process holds memory
  struct Holder {
    MonotonicTime idle_since{};
    std::optional<std::uint64_t> start_ticks;  ///< of the process, where that is known: tells a reused pid
  };
  std::map<std::int64_t, Holder> holders;  ///< of much memory that do nothing, by pid
  std::optional<WallTime> read_at;         ///< of the reading that was seen last
  MonotonicTime read_seen{};               ///< and when it was seen first: clocks that are set make no reading old
  /// The suspected miners among these processes; looked for again when either list is another one.
  std::shared_ptr<const std::vector<GpuProcess>> processes;
  std::shared_ptr<const ProcessTable> who;
  std::vector<Sign> miners;
};

/// A rule as it holds for a device: a built-in one, or an operator's own.
struct ActiveRule {
  const Rule* rule = nullptr;  ///< null for an operator's own
  std::shared_ptr<const UserRule> user;
  const MetricRow* metric = nullptr;  ///< of an operator's own
  RuleLimits limits;

  std::string_view id() const { return rule ? rule->id : std::string_view(user->id); }
};

/// What a rule may look at.
struct Scene {
  const Snapshot& snapshot;
  const AndonFacts& facts;
  const AndonSettings& settings;
  const DeviceSnapshot* device = nullptr;  ///< or a partition of one; null: the machine as a whole
  const DeviceSnapshot* whole = nullptr;   ///< of a partition: its device, whose list names the processes of both
  DeviceMemory* memory = nullptr;          ///< of the device; null: the machine as a whole
  std::span<const std::shared_ptr<const FaultRecord>>
      faults;  ///< fresh ones of the device or the machine, newest first
  const ActiveRule* active = nullptr;

  const RuleLimits& limits() const { return active->limits; }
  /// What messages call the device: "0", a partition "0:1".
  std::string gpu() const;
};

}  // namespace gpukeeper
