#pragma once

#include <chrono>
#include <optional>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"

namespace gpukeeper {

/// How long a process has kept a GPU busy without a pause: at kBusy or more at every look.
class BusyTime {
 public:
  static constexpr Percent kBusy{50};

  /// The busiest GPU's share at this look; none where it is not known, and then nothing is known of the time either.
  std::optional<std::chrono::seconds> add(const Metric<Percent>& share, MonotonicTime now) {
    if (!share) {
      since_.reset();
      return std::nullopt;
    }
    if (*share < kBusy) {
      since_.reset();
      return std::chrono::seconds(0);
    }
    if (!since_) since_ = now;
    return std::chrono::duration_cast<std::chrono::seconds>(now - *since_);
  }

 private:
  std::optional<MonotonicTime> since_;
};

}  // namespace gpukeeper
