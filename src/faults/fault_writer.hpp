#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "faults/fault_store.hpp"

namespace gpukeeper {

/// Writes a journal's changes to its store, on a thread of its own: the one that reads the devices never waits for a
/// disk.
///
/// What cannot be written is kept, up to a limit, and tried again with growing pauses; newer changes of a record take
/// the place of older ones meanwhile. The destructor tries once more. The pauses are of real time, whatever clock the
/// devices live by: they are for a disk.
///
/// Threads: every member may be called from any thread.
class FaultWriter {
 public:
  static constexpr std::size_t kMostRecords = 10'000;  ///< that wait; then the oldest are given up
  static constexpr std::size_t kMostReports = 20'000;
  static constexpr std::chrono::seconds kFirstPause{1};
  static constexpr std::chrono::seconds kLongestPause{60};

  /// Where no thread can be made, everything is written by the destructor.
  explicit FaultWriter(std::shared_ptr<FaultStore> store);
  ~FaultWriter();
  FaultWriter(const FaultWriter&) = delete;
  FaultWriter& operator=(const FaultWriter&) = delete;

  /// Hands changes over and returns at once.
  void put(FaultEntries changes);

  /// Why the last write failed and what that means; empty when all is well.
  std::string message() const;

  /// True once after the store was begun anew: the journal is to put() all that it has.
  bool wants_everything();

  /// Writes what waits. Nothing when nothing waits or it succeeded, else how long to wait before the next attempt. The
  /// thread's whole behaviour; tests call this.
  std::optional<std::chrono::nanoseconds> write_pending();

 private:
  struct Pending;  // entries, newest values only

  void run(const std::stop_token& stop);
  void note_failure(const Error& error);

  const std::shared_ptr<FaultStore> store_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::unique_ptr<Pending> pending_;  // guarded by mutex_, as all below
  std::string message_;
  bool wants_everything_ = false;
  std::uint64_t given_up_ = 0;
  int failures_ = 0;     // in a row
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace gpukeeper
