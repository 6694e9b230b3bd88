#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "ledger/lease.hpp"

namespace gpukeeper::service {

/// Which leases end with which connection. Threads: any.
class ConnectionLeases {
 public:
  /// `is_over` is asked of those that are there, each time as many again were added: a client that books and gives
  /// back all day over one connection leaves nothing behind.
  void add(std::uint64_t connection, LeaseId lease, const std::function<bool(LeaseId)>& is_over) {
    std::vector<LeaseId> theirs;
    {
      std::scoped_lock lock(mutex_);
      Bound& bound = bound_[connection];
      bound.leases.push_back(lease);
      if (bound.leases.size() < bound.look_at) return;
      theirs = bound.leases;
    }
    std::set<LeaseId> over;
    for (const LeaseId id : theirs) {
      if (is_over(id)) over.insert(id);
    }
    std::scoped_lock lock(mutex_);
    const auto found = bound_.find(connection);
    if (found == bound_.end()) return;
    std::erase_if(found->second.leases, [&](LeaseId id) { return over.contains(id); });
    found->second.look_at = 2 * found->second.leases.size() + kFew;
  }

  /// Those of a connection that is over.
  std::vector<LeaseId> take(std::uint64_t connection) {
    std::scoped_lock lock(mutex_);
    const auto node = bound_.extract(connection);
    return node.empty() ? std::vector<LeaseId>() : std::move(node.mapped().leases);
  }

  std::size_t size() const {
    std::scoped_lock lock(mutex_);
    std::size_t sum = 0;
    for (const auto& [connection, bound] : bound_) sum += bound.leases.size();
    return sum;
  }

 private:
  static constexpr std::size_t kFew = 64;
  struct Bound {
    std::vector<LeaseId> leases;
    std::size_t look_at = kFew;
  };
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Bound> bound_;  // guarded by mutex_
};

}  // namespace gpukeeper::service
