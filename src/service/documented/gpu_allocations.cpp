#include "service/documented/gpu_allocations.hpp"

#include <algorithm>

#include "ledger/ledger.hpp"

namespace gpukeeper::service::documented {
namespace {

// As DeviceAccount counts them: what is on its way back or suspended is not held.
bool counts(const Lease& lease) {
  return lease.surface == Surface::documented && is_held(lease.state) && lease.state != LeaseState::suspended;
}

}  // namespace

AllocationsByDevice look_at_allocations(const Bookkeeper& book) {
  AllocationsByDevice result;
  book.look([&](const Ledger& ledger) {  // only copies: everybody else waits meanwhile
    const auto configured = ledger.settings().documented.limit;
    for (const DeviceAccount& device : ledger.devices()) {
      Allocations& known = result[device.id().text()];
      known.total = device.facts().total;
      known.limit = device.documented_limit();
      known.limit_is_set = known.limit && configured == *known.limit;
      known.available = device.documented_available();
      known.allocated = device.documented();
    }
    ledger.each([&](const Lease& lease) {
      if (counts(lease)) result[lease.device.text()].by_id.emplace_back(lease.name, lease.min);
    });
  });
  for (auto& [id, known] : result) std::ranges::sort(known.by_id);
  return result;
}

std::shared_ptr<const AllocationsByDevice> KnownAllocations::as_of(std::uint64_t sequence) const {
  const std::scoped_lock lock(mutex_);
  return sequence_ >= sequence ? known_ : nullptr;
}

std::shared_ptr<const AllocationsByDevice> KnownAllocations::look(const Bookkeeper& book, std::uint64_t sequence) {
  std::uint64_t mine = 0;
  {
    const std::scoped_lock lock(mutex_);
    mine = ++looks_;
  }
  auto found = std::make_shared<const AllocationsByDevice>(look_at_allocations(book));
  const std::scoped_lock lock(mutex_);
  if (mine > known_look_) {  // one that began later has seen more
    known_look_ = mine;
    known_ = found;
  }
  sequence_ = std::max(sequence_, sequence);
  return found;
}

}  // namespace gpukeeper::service::documented
