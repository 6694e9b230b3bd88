#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/clock.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"

namespace gpukeeper {

/// How much processor time a process has used, to the nanosecond. /proc counts in ticks of 10 ms, in which nothing can
/// be said of a moment.
class CpuClocks {
 public:
  virtual ~CpuClocks() = default;

  /// Of all threads of the process, those that ended included; nothing when it is gone or cannot be asked.
  /// Threads: any.
  virtual std::optional<std::chrono::nanoseconds> used(std::int64_t pid) const = 0;
};

/// The kernel's clocks of this machine's processes (clock_getcpuclockid(3)), which every user may read. A pid is taken
/// as this process counts.
class KernelCpuClocks final : public CpuClocks {
 public:
  std::optional<std::chrono::nanoseconds> used(std::int64_t pid) const override;
};

/// Processor time used so far, as seen at one moment.
struct CpuSample {
  MonotonicTime at{};
  std::chrono::nanoseconds used{0};
  bool fine = false;  ///< to the nanosecond, not in ticks
};

/// The share of one core that a process used between the last two samples; 100 is one core.
class CpuShare {
 public:
  /// not_yet_read until there are two samples far enough apart to say anything: 10 ms, or 500 ms where time is counted
  /// in ticks. A sample too soon after the last one changes nothing.
  Metric<Percent> add(const CpuSample& sample);

 private:
  std::optional<CpuSample> last_;
  Metric<Percent> share_ = missing(Missing::not_yet_read);
};

}  // namespace gpukeeper
