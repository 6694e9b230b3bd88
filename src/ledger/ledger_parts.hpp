#pragma once

// What the ledger's source files share. Not for others.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "ledger/ledger.hpp"

namespace gpukeeper {

/// A request with what holds for its service.
struct Ledger::Want {
  const LeaseRequest* request = nullptr;
  const ServiceAccount* service = nullptr;  // null when it holds nothing and has no quota
  const ServiceQuota* quota = nullptr;
  Bytes min{0};  // what is charged
  Bytes max{0};
  Bytes booked{0};  // what is guaranteed: less than min costs only of a lease that is overused already
  std::int32_t priority = 0;
  std::string_view preferred;                    // a device's id; empty for none
  std::size_t preferred_slot = ~std::size_t{0};  // that device's place; larger than any where it is not known
  bool name_is_known = false;                    // some lease has its name, on whatever device
  bool has_it_alone = false;                     // it is for a lease that is there alone already
};

/// What the drivers' lists of processes say of leases.
struct Ledger::Sightings {
  std::unordered_map<LeaseId, Metric<Bytes>> observed;
};

template <class Change>
void Ledger::adjust(Lease& lease, const Change& how) {
  count(lease, -1);
  how(lease);
  count(lease, 1);
}

template <class Change>
void Ledger::change(Lease& lease, const Change& how) {
  remember(lease.id, &lease);
  adjust(lease, how);
}

/// By what a request is known when it is repeated: nobody gets the lease of another user by guessing an id.
inline std::string request_key(std::string_view service, std::uint32_t uid, std::string_view request_id) {
  return fmt::format("{}\n{}\n{}", canonical_service(service), uid, request_id);
}

/// A moment later, or the last there is.
inline MonotonicTime later(MonotonicTime from, std::chrono::nanoseconds by) {
  return by > MonotonicTime::max() - from ? MonotonicTime::max() : from + by;
}

inline Error stale_generation(const Lease& lease, std::uint32_t generation) {
  return {Errc::invalid_argument,
          fmt::format("generation {} of lease {} is over: its terms changed, and it is at generation {}; look at it "
                      "again",
                      generation, number(lease.id), lease.generation)};
}

}  // namespace gpukeeper
