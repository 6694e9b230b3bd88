#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "telemetry/snapshot.hpp"

namespace gpukeeper::top {

/// What curves are drawn of.
enum class Curve : std::uint8_t { utilization, memory, power, temperature };
inline constexpr std::size_t kCurves = 4;

/// The latest values of everything on the screen, a value a snapshot, for the small curves beside the figures; what is
/// absent is nothing. Longer times come from the history.
class Trail {
 public:
  static constexpr std::size_t kLength = 240;         ///< four minutes at the usual pace
  static constexpr std::size_t kMostProcesses = 512;  ///< beyond it new processes leave no trail

  using Values = std::vector<std::optional<double>>;

  /// Takes a snapshot that is new. A device or a process that is gone is forgotten.
  void add(const Snapshot& snapshot);
  void clear();

  /// The last `count` values at most, the latest last, in percent, watts and °C.
  Values of(const DeviceId& device, Curve curve, std::size_t count) const;
  /// Memory in GiB and use in percent of one process.
  Values memory_of(const DeviceId& device, std::int64_t pid, std::size_t count) const;
  Values use_of(const DeviceId& device, std::int64_t pid, std::size_t count) const;

 private:
  // A ring; NaN stands for an absent value.
  struct Ring {
    std::vector<float> values;
    std::size_t next = 0;
    std::uint64_t seen = 0;  // the round in which it was last added to
    void add(const std::optional<double>& value, std::uint64_t round);
    Values last(std::size_t count) const;
  };
  struct OfDevice {
    Ring curves[kCurves];
  };
  struct OfProcess {
    Ring memory, use;
  };
  void add_device(const DeviceSnapshot& device);

  std::uint64_t round_ = 0;
  std::map<DeviceId, OfDevice> devices_;
  std::map<std::pair<DeviceId, std::int64_t>, OfProcess> processes_;
};

}  // namespace gpukeeper::top
