#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/history.hpp"

namespace gpukeeper::simulation {

/// What must hold of the past: it is what the snapshots showed, as far back as it must reach; absent stays absent; and
/// no trend promises what its values do not.
class HistoryInvariants {
 public:
  /// `span`: how far back the history must reach.
  explicit HistoryInvariants(std::chrono::nanoseconds span) : span_(span) {}

  /// After each step; the snapshots in order. Says what is wrong, a sentence each; nothing when all is well.
  std::vector<std::string> look(const History& history, const Snapshot& snapshot);

 private:
  // What the snapshots showed of one device.
  struct Shown {
    std::optional<WallTime> read_at;  // of the latest reading
    std::map<std::string_view, std::vector<TimedValue>> values;
  };

  void remember(const Snapshot& snapshot, const DeviceSnapshot& device);
  void check_values(const History& history, const DeviceId& id, std::string_view metric, MonotonicTime from);
  void check_range(const History& history, const DeviceId& id, std::string_view metric, MonotonicTime from,
                   std::chrono::nanoseconds step);
  void check_trend(const History& history, const DeviceSnapshot& device);
  std::vector<TimedValue> shown(const DeviceId& id, std::string_view metric, MonotonicTime from) const;
  void say(const DeviceId& id, std::string_view what);

  const std::chrono::nanoseconds span_;
  MonotonicTime now_{};
  std::optional<MonotonicTime> begin_;
  std::map<DeviceId, Shown> shown_;
  std::vector<std::string> wrong_;
};

}  // namespace gpukeeper::simulation
