#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"

namespace gpukeeper::top {

/// A lease as a row.
struct LeaseLine {
  std::string id;  ///< "7"
  std::string service;
  std::string name;    ///< the client's own; may be empty
  std::string device;  ///< UUID; empty while it waits for any
  std::string gpu;     ///< "0"; empty as above
  std::string state;   ///< "held", "waiting"
  std::string reason;
  std::string user;
  std::string owner;  ///< "process 4711", "standing"
  Bytes least{0}, most{0};
  std::optional<Bytes> observed;
  std::int64_t priority = 0;
  bool overused = false;
  std::string created;  ///< RFC 3339
  std::optional<double> ends_in_seconds;
};

/// What is booked: gpukeeper.leases/1 (docs/api.md), as far as it is shown. Texts are as they came.
struct LeaseBook {
  std::string closed;             ///< why nothing is granted; empty when it is
  std::vector<LeaseLine> leases;  ///< those that wait last, in the order in which they will be served
  std::size_t waiting = 0;
};

/// Reads such a document; members that are missing or of another type are taken for absent.
/// Errors: internal for a text that is no such document, or has more leases than any ledger.
Result<LeaseBook> parse_lease_book(std::string_view json);

}  // namespace gpukeeper::top
