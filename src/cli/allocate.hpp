#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/context.hpp"
#include "cli/lease_desk.hpp"

// Commands that book memory and give it back.
namespace gpukeeper::cli {

/// What to book: of `allocate` and of `run`, as the command line says it. Empty members were not said.
struct BookingOptions {
  std::string service;
  std::string memory;  ///< as parse_memory takes it
  std::string most;    ///< the same
  std::string device;  ///< a selector
  bool require_device = false;
  std::string name;  ///< the client's own
  std::string request_id;
  std::string strategy;
  std::optional<std::int64_t> priority;
  std::optional<std::uint64_t> gpus;
  std::optional<std::chrono::nanoseconds> lifetime;
  std::optional<std::chrono::nanoseconds> wait;  ///< stand in the queue so long
  bool exclusive = false;
};

/// The body of POST /api/v1/leases. `owner`: "standing" or "process". Errors: invalid_argument for an amount that is
/// none.
Result<std::string> booking_request(const BookingOptions& options, std::string_view owner);

/// Books, and waits in the queue where that is wanted: then it is said for what. The answer is gpukeeper.lease/1.
/// Errors: the refusal, set for the page; those of LeaseDesk::ask.
Result<DeskReply> book(LeaseDesk& desk, const BookingOptions& options, std::string_view owner, Context& context);

struct AllocateOptions {
  BookingOptions booking;
  bool json = false;
  DeskOptions desk = {};
};
Exit allocate(const AllocateOptions& options, Context& context);

struct DeallocateOptions {
  std::string service;  ///< all its leases on `device` …
  std::string device;
  std::string name;  ///< … or the one of that name (--id), of that service and device where they are said
  bool json = false;
  DeskOptions desk = {};
};
Exit deallocate(const DeallocateOptions& options, Context& context);

/// Ends a lease by its id, however often it is said. `revoke`: as an operator, whosever it is.
struct ReleaseOptions {
  std::string id;
  bool revoke = false;
  bool json = false;
  DeskOptions desk = {};
};
Exit release(const ReleaseOptions& options, Context& context);

/// Ends these leases, and waits until the driver shows that their memory is back, as long as deallocation_timeout says.
/// A sentence about each, and about what is not back. Errors: those of ask().
struct Released {
  std::string sentences;  ///< a line each
  bool all_back = true;
  std::string document;  ///< of the last one, as the ledger answered
};
Result<Released> release_leases(LeaseDesk& desk, const std::vector<std::string>& ids, std::string_view how,
                                Context& context);

}  // namespace gpukeeper::cli
