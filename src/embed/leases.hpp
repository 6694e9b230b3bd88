#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/units.hpp"
#include "ledger/lease_request.hpp"

namespace gpukeeper::embed {

/// Why a call about leases was in vain: an error, with a problem document where the ledger itself says no.
struct Refused {
  Error error;
  unsigned status = 0;  ///< of the problem document; 0 where there is none
  std::string problem = {};
};

template <class T>
using Answered = tl::expected<T, Refused>;

/// What is asked for, by somebody who knows GPUs by their index.
struct LeaseWishes {
  /// Without a device, an owner or a wait, which stand below.
  LeaseRequest request;
  std::optional<std::uint32_t> device;
  bool standing = false;                        ///< it outlives this process
  std::optional<std::chrono::nanoseconds> ttl;  ///< it ends unless it is renewed in time
  std::chrono::nanoseconds wait{0};             ///< for room
};

struct GrantedLease {
  std::uint64_t id = 0;
  Bytes bytes{0};
  std::uint64_t fence = 0;
  std::int32_t device = -1;  ///< its index; -1 where it is not known
  bool fell_back = false;    ///< it is not on the device that was preferred
};

/// Memory, booked and given back. Threads: every member may be called from any.
class Leases {
 public:
  virtual ~Leases() = default;

  /// With a wait that ends in vain: deadline_exceeded, and the ledger's last word.
  virtual Answered<GrantedLease> allocate(const LeaseWishes& wishes) = 0;
  virtual Answered<void> release(std::uint64_t id) = 0;
  /// By the client's own name, on the device with that index.
  virtual Answered<void> release_named(const std::string& name, std::uint32_t device) = 0;
  virtual Answered<void> renew(std::uint64_t id) = 0;
  virtual Answered<void> resize(std::uint64_t id, Bytes bytes) = 0;
  /// What could be booked on the device with that index.
  virtual Answered<Bytes> available(std::uint32_t device) = 0;
};

inline tl::unexpected<Refused> refused(Errc code, std::string message) {
  return tl::make_unexpected(Refused{{code, std::move(message)}});
}

inline tl::unexpected<Refused> refused(Error error) {
  return tl::make_unexpected(Refused{std::move(error)});
}

}  // namespace gpukeeper::embed
