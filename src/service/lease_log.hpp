#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "core/log.hpp"
#include "ledger/ledger.hpp"

namespace gpukeeper::service {

/// Says in the log what happened to leases by itself: one that waited was granted, one ended, one was not given back.
///
/// Threads: note() may be called from any, and waits for nothing; look() belongs to one, which may wait for the log's
/// disk.
class LeaseLog {
 public:
  /// What waits to be said; more is counted only: a thousand owners may die at once.
  static constexpr std::size_t kMost = 1000;

  explicit LeaseLog(Log& log) : log_(log) {}

  void note(const LedgerEvent& event, const Lease& lease);

  /// Says what came since it looked last.
  void look();

 private:
  Log& log_;
  std::mutex mutex_;
  std::deque<std::pair<LogLevel, std::string>> lines_;  // guarded by mutex_
  std::size_t unsaid_ = 0;                              // guarded by mutex_
};

}  // namespace gpukeeper::service
