#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "core/clock.hpp"
#include "ledger/lease.hpp"
#include "ledger/lease_request.hpp"

namespace gpukeeper {

/// The requests that wait, in the order in which they are served.
///
/// One step of priority outweighs `ageing` of waiting: a request stands where it would stand had it come that much
/// earlier. So the order never changes while time passes, and nobody starves: whoever passes a request of a lower
/// priority has come at most (difference of priorities × ageing) after it.
class WaitQueue {
 public:
  struct Entry {
    LeaseId id{};
    std::shared_ptr<const LeaseRequest> request;
  };
  /// Where an entry stands: the moment at which it came, moved by its priority; then its id.
  using Rank = std::pair<MonotonicTime, LeaseId>;

  explicit WaitQueue(std::chrono::nanoseconds ageing) : ageing_(ageing) {}

  Rank rank(LeaseId id, std::int32_t priority, MonotonicTime came) const { return {came - ageing_ * priority, id}; }

  /// When the entry came, from where it stands.
  MonotonicTime came(const Rank& rank, std::int32_t priority) const { return rank.first + ageing_ * priority; }

  void add(Rank rank, Entry entry) {
    ranks_[entry.id] = rank;
    entries_.emplace(rank, std::move(entry));
  }

  /// The entry that was taken out; null request when it did not wait.
  Entry take(LeaseId id) {
    const auto found = ranks_.find(id);
    if (found == ranks_.end()) return {};
    const auto node = entries_.extract(found->second);
    ranks_.erase(found);
    return node.mapped();
  }

  /// Null when it does not wait.
  const Rank* find(LeaseId id) const {
    const auto found = ranks_.find(id);
    return found == ranks_.end() ? nullptr : &found->second;
  }

  /// In the order in which they are served.
  const std::map<Rank, Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }

 private:
  std::chrono::nanoseconds ageing_;
  std::map<Rank, Entry> entries_;
  std::map<LeaseId, Rank> ranks_;
};

}  // namespace gpukeeper
