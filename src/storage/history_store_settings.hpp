#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/units.hpp"

namespace gpukeeper {

/// How much of the history outlives the process, and how finely. The further back, the coarser: as it was measured,
/// then in pieces of ten seconds, of a minute, of an hour.
struct HistoryStoreSettings {
  bool enabled = true;
  std::chrono::nanoseconds keep = std::chrono::hours(30 * 24);         ///< all of it: pieces of an hour
  std::chrono::nanoseconds keep_seconds = std::chrono::hours(2 * 24);  ///< as it was measured
  std::chrono::nanoseconds keep_ten_seconds = std::chrono::hours(7 * 24);
  std::chrono::nanoseconds keep_minutes = std::chrono::hours(30 * 24);
  std::chrono::nanoseconds batch = std::chrono::minutes(1);  ///< what is written at a time, and lost at the most
  Bytes size = 512_MiB;                                      ///< of the file; above it the finest goes, oldest first

  friend bool operator==(const HistoryStoreSettings&, const HistoryStoreSettings&) = default;
};

/// What is wrong with them, a sentence each.
std::vector<std::string> check(const HistoryStoreSettings& settings);

}  // namespace gpukeeper
