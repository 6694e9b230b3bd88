#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ledger/lease.hpp"

namespace gpukeeper {

/// How safe a change must be before who asked for it is answered.
enum class Durability : std::uint8_t {
  lazy,     ///< may be lost: what a loss brings is noticed and healed (a dead owner's lease dies once more)
  written,  ///< must outlive this process, not the machine: what belongs to a process dies with the machine anyway
  flushed,  ///< must outlive the machine
};

/// What was given out, so that nothing is given out twice.
struct LedgerNumbers {
  std::uint64_t last_id = 0;
  std::uint64_t last_token = 0;
  /// Neither is above this as long as it is not flushed anew. What was written but not flushed is lost when the power
  /// goes; after a boot both go on from here.
  std::uint64_t flushed_limit = 0;
  friend bool operator==(const LedgerNumbers&, const LedgerNumbers&) = default;
};

/// What is to be written at once, all or nothing.
struct LedgerChanges {
  std::vector<Lease> leases;  ///< granted ones, as they are now
  std::vector<Lease> ended;   ///< over: no longer among the leases, and part of the history
  LedgerNumbers numbers;
  bool new_ids = false;  ///< ids were given out, also where no lease came of it yet
  Durability durability = Durability::lazy;

  bool empty() const { return leases.empty() && ended.empty() && !new_ids; }
};

/// A lease as a journal kept it.
struct KeptLease {
  Lease lease;
  std::string boot_id;  ///< of the machine's boot during which it was written last
};

/// All that a journal kept.
struct LedgerMemory {
  std::vector<KeptLease> leases;  ///< by id
  std::vector<Lease> history;     ///< the oldest first
  LedgerNumbers numbers;
  std::string boot_id;  ///< of the last write; empty when there was none
};

}  // namespace gpukeeper
