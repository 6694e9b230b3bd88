#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "booking/bookkeeper.hpp"
#include "core/units.hpp"
#include "device/metric.hpp"

namespace gpukeeper::service::documented {

/// What the documented memory interface has handed out of one device.
struct Allocations {
  Metric<Bytes> total = missing(Missing::not_yet_read);
  Metric<Bytes> limit = missing(Missing::not_yet_read);  ///< what it may hand out at all
  bool limit_is_set = false;                             ///< it is the configured one, and not what the device leaves
  Metric<Bytes> available = missing(Missing::not_yet_read);
  Bytes allocated{0};
  std::vector<std::pair<std::string, Bytes>> by_id;  ///< allocation_id and size, in order of the id
};

using AllocationsByDevice = std::map<std::string, Allocations, std::less<>>;  ///< by device id

/// Of all devices that the ledger knows. It may wait for a disk, as all that asks the ledger.
AllocationsByDevice look_at_allocations(const Bookkeeper& book);

/// The allocations as they stood at a tick or later, so that not every question about a GPU's status has to ask the
/// ledger: it is asked once a tick, and after what was changed through this surface.
///
/// Threads: any.
class KnownAllocations {
 public:
  /// Null when they are older than that tick.
  std::shared_ptr<const AllocationsByDevice> as_of(std::uint64_t sequence) const;

  /// Asks the ledger. `sequence`: of the latest snapshot when this was called.
  std::shared_ptr<const AllocationsByDevice> look(const Bookkeeper& book, std::uint64_t sequence);

 private:
  mutable std::mutex mutex_;
  std::uint64_t sequence_ = 0;                        // guarded by mutex_, as all below
  std::uint64_t looks_ = 0;                           // that were begun
  std::uint64_t known_look_ = 0;                      // the one that `known_` is of
  std::shared_ptr<const AllocationsByDevice> known_;  // null before the first
};

}  // namespace gpukeeper::service::documented
