#pragma once

#include <chrono>

namespace gpukeeper::account {

/// How the account is kept over restarts.
struct Keeping {
  std::chrono::nanoseconds interval = std::chrono::seconds(60);    ///< from save to save: a kill loses no more
  std::chrono::nanoseconds length = std::chrono::hours(400 * 24);  ///< older sums are forgotten
  friend bool operator==(const Keeping&, const Keeping&) = default;
};

}  // namespace gpukeeper::account
