#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"

namespace gpukeeper {

/// Power out of an energy counter, by the difference of two readings of it.
///
/// A value needs two readings of a counter that moved. Until then, and after the counter was set back (driver loaded
/// again, 32 bits run over), the power is not_yet_read: never a power of 0, which no running board has.
/// Threads: none of its own; one caller at a time.
class EnergyRate {
 public:
  /// Takes one reading of the counter and answers with the average power since the one before.
  Metric<Watts> update(MonotonicTime now, std::uint64_t microjoules);

  /// Forgets what was read: after a sleep, or when a reading failed.
  void reset() { last_.reset(); }

 private:
  struct Sample {
    MonotonicTime at;
    std::uint64_t microjoules;
  };
  std::optional<Sample> last_;
};

/// Share of time out of a counter that grows while a state lasts (residency), by the difference of two readings.
/// The same rules, but an unchanged counter is a value: the state was not entered.
class ResidencyRate {
 public:
  /// The share of the time since the reading before in which the counter grew, 0 to 100.
  Metric<Percent> update(MonotonicTime now, std::chrono::nanoseconds residency);
  void reset() { last_.reset(); }

 private:
  struct Sample {
    MonotonicTime at;
    std::chrono::nanoseconds residency;
  };
  std::optional<Sample> last_;
};

}  // namespace gpukeeper
