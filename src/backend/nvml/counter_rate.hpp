#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"

namespace gpukeeper::nvml {

/// A byte counter of the driver as a rate, by difference between two readings.
class CounterRate {
 public:
  /// `wide`: the counter is known to have 64 bits, so that one which steps back counts anew, however small it was.
  explicit CounterRate(bool wide = false) : wide_(wide) {}

  /// `bits` is how wide the driver says that the counter is; a 64-bit one that steps back below 2^32 is taken for a
  /// 32-bit one from then on. `most` is what the link can carry, in bytes a second, or 0 when unknown: a 32-bit counter
  /// that may have gone round more than once since the last reading says nothing, and then the rate is not_supported.
  Metric<BytesPerSecond> update(std::uint64_t value, unsigned bits, double most, MonotonicTime now);

 private:
  bool wide_;
  std::optional<std::uint64_t> last_;
  MonotonicTime at_{};
  bool narrow_ = false;
};

}  // namespace gpukeeper::nvml
