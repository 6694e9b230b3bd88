#pragma once

#include <cstddef>
#include <string>

#include "core/result.hpp"
#include "faults/fault_record.hpp"

namespace gpukeeper {

/// Where a journal outlives its process.
///
/// Threads: load() before the first write(), later one call at a time.
class FaultStore {
 public:
  virtual ~FaultStore() = default;

  /// Where it is, for messages: "/var/lib/gpukeeper/faults.db". Constant.
  virtual std::string place() const = 0;

  /// Whether it keeps the faults of simulated and recorded devices; else it keeps those of real ones. Never both.
  virtual bool keeps_made_up() const = 0;

  /// Whether it is another process's, which alone writes it. Constant.
  virtual bool is_read_only() const { return false; }

  /// What its operator should know: that a damaged file was moved aside. Empty when nothing. From any thread.
  virtual std::string notice() const = 0;

  /// What was written: the newest `most` records, all reports, totals and marks that are kept.
  /// Errors: unavailable when it cannot be read now; resource_exhausted, not_permitted and internal as the disk says.
  virtual Result<FaultEntries> load(std::size_t most) = 0;

  /// Adds these entries; a record, total or mark that is there already takes their values. All of them, or none when
  /// it fails; once it returns they survive the end of the process, and of the machine. Deletes the oldest records and
  /// reports above the limits.
  /// Errors: resource_exhausted when the disk is full; not_found when what was stored was damaged or is gone and an
  /// empty store was begun in its place, so everything is to be written anew; others as the disk says.
  virtual Result<void> write(const FaultEntries& entries) = 0;

  /// Limits by number only: by age, a clock that jumps ahead for a moment would delete everything.
  static constexpr std::size_t kMostRecords = 50'000;
  static constexpr std::size_t kMostReports = 20'000;  ///< more than a kernel's log (mostly 256 KiB) brings up again
};

}  // namespace gpukeeper
