#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "core/clock.hpp"
#include "reclaim/sight.hpp"

namespace gpukeeper::reclaim {

/// Remembers since when processes do nothing.
/// Threads: one at a time.
class IdleWatch {
 public:
  void look(const Sight& sight);

  /// For how long the process has had no load, seen without a break; 0 when it has some. Nothing where its driver does
  /// not say, or it was never seen.
  std::optional<std::chrono::nanoseconds> idle_for(const SeenProcess& process) const;

 private:
  using Key = std::tuple<std::string, std::int64_t, std::uint64_t>;  // device, pid, start
  static Key key(const SeenProcess& process) { return {process.device, process.pid, process.start_ticks}; }

  MonotonicTime now_{};
  std::map<Key, MonotonicTime> busy_at_;  // when it was seen to work last, or was seen first
};

}  // namespace gpukeeper::reclaim
