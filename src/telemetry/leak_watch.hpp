#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/units.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

struct LeakRules {
  std::chrono::nanoseconds window = std::chrono::minutes(10);   ///< over which memory must have grown
  std::chrono::nanoseconds spacing = std::chrono::seconds(10);  ///< from look to look: more often says no more
  Bytes at_least = 64_MiB;                                      ///< less than that in a window worries nobody
};

/// A process whose memory on a device grows and grows.
struct LeakSuspect {
  DeviceId device;
  std::uint32_t device_index = 0;
  std::int64_t pid = 0;
  std::string name;  ///< as the source gives it: make it harmless before a terminal sees it
  Bytes now{0};
  Bytes grown{0};             ///< over the window
  double bytes_per_hour = 0;  ///< the pace
  std::optional<std::chrono::nanoseconds>
      full_in;  ///< until the device's memory is full at this pace; nothing: in a year or more

  friend bool operator==(const LeakSuspect&, const LeakSuspect&) = default;
};

/// Suspects memory leaks: processes whose device memory has grown steadily over a whole window.
///
/// Most growth is none: a model is loaded, a cache fills up to its size, a batch becomes larger. These are steps. So
/// the window is cut into six parts, and the least memory of each is compared with that of the part before (what is
/// taken for a moment and given back does not count): it must have risen in each, and no part may have brought more
/// than half of the growth. A process is its device, its pid and when it started, so that a pid that was given again is
/// another one.
///
/// Threads: one.
class LeakWatch {
 public:
  explicit LeakWatch(LeakRules rules = {}) : rules_(rules) {}

  /// Takes what a snapshot says of the processes' memory; cheap when the last look was a moment ago.
  void look(const Snapshot& snapshot);

  /// Those suspected as of the last look, by device and pid; of a device whose processes could not be told then, those
  /// of the look before.
  const std::vector<LeakSuspect>& suspects() const { return suspects_; }

  static constexpr std::size_t kMostProcesses = 4096;  ///< that are watched; those that come later are not

 private:
  struct Key {
    DeviceId device;
    std::int64_t pid = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Point {
    MonotonicTime at;
    std::uint64_t bytes = 0;
  };
  struct Watched {
    std::optional<std::uint64_t> start_ticks;  // nothing while it is not known
    std::deque<Point> points;                  // of the last window
    std::uint64_t seen = 0;                    // the look that saw it last
  };

  void keep(const DeviceId& device, const std::vector<LeakSuspect>& suspects);
  void note(const Snapshot& snapshot, const DeviceSnapshot& device, const GpuProcess& process);
  void judge(MonotonicTime now, const DeviceSnapshot& device, const GpuProcess& process, const Watched& watched);

  const LeakRules rules_;
  std::map<Key, Watched> watched_;
  std::optional<MonotonicTime> looked_at_;
  std::uint64_t looks_ = 0;
  std::vector<LeakSuspect> suspects_;
};

}  // namespace gpukeeper
