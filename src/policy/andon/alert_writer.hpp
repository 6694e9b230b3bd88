#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "policy/andon/alert_store.hpp"

namespace gpukeeper {

/// Saves what Andon remembers, on a thread of its own: the one that reads the devices never waits for a disk.
///
/// Only the newest is saved: what comes while the disk is slow or full takes the place of what waits. What failed is
/// tried again with growing pauses, of real time, and once more by the destructor.
///
/// Threads: every member may be called from any thread.
class AlertWriter {
 public:
  static constexpr std::chrono::seconds kFirstPause{1};
  static constexpr std::chrono::seconds kLongestPause{60};

  /// Where no thread can be made, the destructor saves.
  explicit AlertWriter(std::shared_ptr<AlertStore> store);
  ~AlertWriter();
  AlertWriter(const AlertWriter&) = delete;
  AlertWriter& operator=(const AlertWriter&) = delete;

  /// Hands it over and returns at once.
  void put(AndonMemory memory);

  /// Why the last save failed and what that means; empty when all is well.
  std::string message() const;

  /// Saves what waits. Nothing when nothing waits or it succeeded, else how long to wait before the next attempt. The
  /// thread's whole behaviour; tests call this.
  std::optional<std::chrono::nanoseconds> save_waiting();

 private:
  void run(const std::stop_token& stop);

  const std::shared_ptr<AlertStore> store_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<AndonMemory> waiting_;  // guarded by mutex_, as all below
  std::string message_;
  int failures_ = 0;     // in a row
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace gpukeeper
