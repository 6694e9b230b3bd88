#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/units.hpp"
#include "ledger/lease_request.hpp"

namespace gpukeeper {

/// The body of POST /api/v1/leases: what is asked for, and whose it shall be as far as the body says so.
struct LeaseWish {
  enum class Owner : std::uint8_t { standing, process, connection, heartbeat };

  LeaseRequest request;  ///< without owner and user; `device` is a selector yet: an index, a UUID or a PCI address
  Owner owner = Owner::standing;
  std::optional<std::int64_t> pid;              ///< of Owner::process
  std::optional<std::chrono::nanoseconds> ttl;  ///< of Owner::heartbeat
};

/// The body of PATCH /api/v1/leases/{id}.
struct LeaseTerms {
  std::optional<Bytes> min;  ///< always there once it is parsed
  std::optional<Bytes> max;
  std::optional<std::uint32_t> generation;
};

// Foreign input, and so strict: a member that is not known, stands twice, has another type or a value out of its range
// is refused with its name, its value and what it takes. Null is as good as absent. What the request says as a whole is
// judged by check(LeaseRequest).
// Errors: invalid_argument.

Result<LeaseWish> parse_lease_wish(std::string_view json);
Result<LeaseTerms> parse_lease_terms(std::string_view json);

/// The most that a body may ask for, in bytes: what every implementation of JSON can still count one by one.
inline constexpr std::uint64_t kMostLeaseBytes = (std::uint64_t{1} << 53) - 1;
inline constexpr std::uint32_t kMostLeaseDevices = 1024;

}  // namespace gpukeeper
