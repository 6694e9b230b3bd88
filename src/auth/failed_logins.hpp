#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "core/clock.hpp"

namespace gpukeeper::auth {

/// Who has sent wrong tokens too often to be answered at length. Nobody with a right token is ever shut out: all
/// clients of this machine have one address, so one of them could lock out all the others; and 256 random bits are not
/// found by trying. What is bounded is what trying costs us, and the noise of it.
/// Threads: one at a time.
class FailedLogins {
 public:
  /// Counts one; whether it is one too many.
  bool is_too_many(const std::string& address, MonotonicTime now) {
    if (since_.size() >= kMostAddresses && !since_.contains(address)) forget(now);
    Count& count = since_[address];
    if (now - count.since >= kWindow) count = {now, 0};
    return ++count.failures > kMost;
  }

  static constexpr std::size_t kMost = 10;
  static constexpr std::chrono::seconds kWindow{60};
  static constexpr std::size_t kMostAddresses = 1024;

 private:
  struct Count {
    MonotonicTime since{};
    std::size_t failures = 0;
  };
  // Those of a window that is over; all, where that is not enough.
  void forget(MonotonicTime now) {
    std::erase_if(since_, [&](const auto& each) { return now - each.second.since >= kWindow; });
    if (since_.size() >= kMostAddresses) since_.clear();
  }

  std::map<std::string, Count> since_;
};

}  // namespace gpukeeper::auth
