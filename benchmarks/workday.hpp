#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "telemetry/history_block.hpp"

namespace gpukeeper::bench {

/// What a simulated GPU measured in some hours.
struct Workday {
  std::vector<TimedValue> celsius;
  std::vector<TimedValue> watts;
  std::vector<TimedValue> bytes;  ///< of memory in use
  double memory = 0;              ///< bytes that it has
};

/// A machine of that seed, read every `pace`: what it works (long training with checkpoints, short jobs, requests that
/// come and go with the day, hardly anything), how its cooler is made (two masses of different size, a fan that comes
/// late, a room that warms), how its sensor errs and rounds, what its processes do with memory.
Workday simulate_workday(std::uint64_t seed, std::chrono::seconds length, std::chrono::seconds pace);

}  // namespace gpukeeper::bench
