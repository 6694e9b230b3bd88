#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/units.hpp"
#include "ledger/lease.hpp"
#include "reclaim/holder.hpp"

namespace gpukeeper::reclaim {

/// How a lease is divided among clients that share it: bytes by name. Their sum is never above what the lease is
/// guaranteed.
using Parts = std::map<std::string, Bytes>;

Bytes sum_of(const Parts& parts);

/// What is known of leases beyond the ledger: who can be asked for their memory, and how they are divided. It ends with
/// the lease; ids are never given out again, so nothing is ever taken for another lease's.
///
/// Kept in a small file that is replaced as a whole before the one who changes something is answered.
/// Threads: every member may be called from any.
class HolderBook {
 public:
  static constexpr std::size_t kMostParts = 256;  ///< of a lease
  static constexpr std::size_t kMostKept = 10'000;

  /// `path` empty: nothing is kept. A file that cannot be read, or is none of ours, is left as it is: then changes are
  /// refused with that reason.
  void open(std::string path);

  Result<void> set_holder(LeaseId lease, Holder holder);
  /// Whether there was one.
  Result<bool> remove_holder(LeaseId lease);
  std::optional<Holder> holder(LeaseId lease) const;
  std::map<LeaseId, Holder> holders() const;

  /// Sets a part of the lease anew; other parts and the lease bound it.
  /// Errors: resource_exhausted when the lease has no room for it, invalid_argument for its name; as the disk says.
  Result<void> set_part(const Lease& lease, const std::string& name, Bytes bytes);
  /// Whether there was one.
  Result<bool> remove_part(LeaseId lease, std::string_view name);
  Parts parts(LeaseId lease) const;

  /// Forgets all other leases; the file follows with the next change.
  void keep_only(const std::set<LeaseId>& leases);

 private:
  struct Entry {
    std::optional<Holder> holder;
    Parts parts;
    bool empty() const { return !holder && parts.empty(); }
  };
  using Entries = std::map<LeaseId, Entry>;
  static Result<Entries> read(const std::string& path);
  static std::string text(const Entries& entries);
  Entries entries() const;
  Result<void> change(LeaseId lease, const std::function<Result<void>(Entry&)>& how);

  std::mutex writing_;            // who changes something holds it over the disk; who looks does not wait for it
  std::string path_;              // guarded by writing_
  std::optional<Error> trouble_;  // guarded by writing_: why nothing may be written
  mutable std::mutex mutex_;
  Entries entries_;  // guarded by mutex_; changed under writing_ only
};

}  // namespace gpukeeper::reclaim
