#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "ledger/changes.hpp"

namespace gpukeeper {

/// Where leases outlive the process.
///
/// Threads: one at a time. Calls may take as long as a disk does.
class Journal {
 public:
  virtual ~Journal() = default;

  /// Where it is, for messages.
  virtual std::string place() const = 0;

  /// What is wrong with it for good, in a sentence that says what to do; nothing while it is sound. A damaged journal
  /// is never taken for an empty one: load() gives the last good copy, write() fails, and the file is left as it is.
  virtual std::optional<Error> damage() const = 0;

  /// All leases and up to `history` ended ones. Errors: as the disk says.
  virtual Result<LedgerMemory> load(std::size_t history) = 0;

  /// Keeps the changes, all or none, as safely as they ask for. Errors: resource_exhausted on a full disk; unavailable
  /// where another try may succeed; internal for a broken disk.
  virtual Result<void> write(const LedgerChanges& changes) = 0;

  /// Whether somebody else has written it since it was loaded: what was read then is old.
  virtual bool written_by_others() { return false; }
};

}  // namespace gpukeeper
