#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "service/documented/gpu_allocations.hpp"
#include "service/elsewhere.hpp"
#include "service/http.hpp"
#include "service/router.hpp"
#include "service/routes.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service::documented {

/// The GPU manager's allocations: leases of the one ledger that nobody but a client ends. `allocation_id` is the
/// lease's name, so it stands once on a device; the configured `memory_limit_mb` and `memory_reserve_mb` bound all of
/// them on a device together.
///
/// Threads: with() is the server's; all else may be called from any.
class GpuMemory : public std::enable_shared_from_this<GpuMemory> {
 public:
  explicit GpuMemory(std::shared_ptr<const Sights> sights) : sights_(std::move(sights)) {}

  using Make = std::function<Response(const std::shared_ptr<const Snapshot>&,
                                      const std::shared_ptr<const AllocationsByDevice>&)>;

  /// What `make` answers from the latest snapshot and what is allocated, on the server's thread: at once where that is
  /// known as of this tick, else later. 503 before the first snapshot. Nothing is allocated while there is no ledger.
  Response with(const Request& request, Make make) const;

  /// What is allocated as of that tick or later; it may ask the ledger, and so wait for a disk. Never null.
  std::shared_ptr<const AllocationsByDevice> known(std::uint64_t sequence) const;

  /// POST /api/gpu/memory/allocate {"allocation_id": …, "required_mb": …, "gpu_id": 0}
  Response allocate(const Request& request) const;
  /// POST /api/gpu/memory/deallocate {"allocation_id": …, "gpu_id": 0}
  Response deallocate(const Request& request) const;

  /// Where these two run, as both may wait for a disk.
  const Run& desk() const { return sights_->at_the_desk; }

 private:
  std::shared_ptr<const AllocationsByDevice> look(std::uint64_t sequence) const;

  const std::shared_ptr<const Sights> sights_;
  const std::shared_ptr<KnownAllocations> known_ = std::make_shared<KnownAllocations>();
};

/// `/api/gpu/memory/…`
std::vector<Route> gpu_memory_routes(const std::shared_ptr<GpuMemory>& memory);

}  // namespace gpukeeper::service::documented
