#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "core/clock.hpp"

namespace gpukeeper::auth {

/// How often somebody may ask: so many times at once as he may in a minute, and evenly again after that.
/// Threads: one at a time.
class RequestRate {
 public:
  static constexpr std::size_t kMostVisitors = 4096;

  /// Takes one of his. How long until there is one again; zero: he had one.
  std::chrono::seconds take(const std::string& visitor, std::uint32_t per_minute, MonotonicTime now) {
    if (visitors_.size() >= kMostVisitors && !visitors_.contains(visitor)) forget(now);
    const std::chrono::nanoseconds each = std::chrono::nanoseconds(kWindow) / per_minute;
    // When all he took would be given back, had he all of them before: what a bucket lacks, as a time.
    MonotonicTime& whole = visitors_[visitor];
    const MonotonicTime next = std::max(whole, now) + each;
    if (next - now > kWindow) return std::chrono::ceil<std::chrono::seconds>(next - now - kWindow);
    whole = next;
    return std::chrono::seconds(0);
  }

 private:
  static constexpr std::chrono::seconds kWindow{60};

  // Those who have all of theirs again; all, where that is not enough.
  void forget(MonotonicTime now) {
    std::erase_if(visitors_, [&](const auto& each) { return each.second <= now; });
    if (visitors_.size() >= kMostVisitors) visitors_.clear();
  }

  std::map<std::string, MonotonicTime> visitors_;
};

}  // namespace gpukeeper::auth
