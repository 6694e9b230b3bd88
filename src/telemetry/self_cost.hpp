#pragma once

#include <chrono>

#include "core/units.hpp"

namespace gpukeeper {

/// What this process has used since it started.
struct ProcessCost {
  std::chrono::nanoseconds cpu{0};
  Bytes resident{0};  ///< now; 0 when /proc is not there
};

/// Reads the process's own cost from the kernel. Cheap enough for every tick: one clock and one open file.
/// Threads: any, one at a time.
class SelfMeter {
 public:
  SelfMeter();
  ~SelfMeter();
  SelfMeter(const SelfMeter&) = delete;
  SelfMeter& operator=(const SelfMeter&) = delete;

  ProcessCost read() const;

 private:
  int statm_;  // kept open: one pread a tick instead of open, read and close
};

}  // namespace gpukeeper
