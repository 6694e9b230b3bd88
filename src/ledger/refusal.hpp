#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"
#include "ledger/account.hpp"
#include "ledger/lease.hpp"

namespace gpukeeper {

/// Why a device does not take a request.
enum class Bar : std::uint8_t {
  none,          ///< it would
  unavailable,   ///< it is lost, or nobody answers for it
  closed,        ///< it takes nothing new: too hot, divided into partitions
  not_allowed,   ///< its service may not use it
  not_required,  ///< another one is required
  name_taken,    ///< the service's lease of that name is there
  exclusive,     ///< somebody has it alone
  occupied,      ///< it is wanted alone, and somebody is there
  foreign,       ///< it is wanted alone, and processes without a lease compute there
  unknown,       ///< what it has or uses is not known
  never,         ///< it is too small, empty as well
  burst,         ///< the sum of all maxima would be too large
  documented,    ///< the documented surface's limit is reached
  no_room,       ///< it is too full
  reserved,      ///< somebody who came before waits for it
};

/// Why the whole request is refused.
enum class RefusalCause : std::uint8_t {
  closed,      ///< the ledger takes nothing at the moment
  invalid,     ///< the request is wrong by itself
  misused_id,  ///< its request id belongs to another request
  quota,       ///< its service may not
  no_device,   ///< there is none, or none that it may use
  never,       ///< no device could ever take it
  no_room,     ///< not now
  queue_full,  ///< not now, and too many wait
};

std::string_view to_string(Bar bar);
std::string_view to_string(RefusalCause cause);

/// A lease that stands in the way of a request.
struct InTheWay {
  LeaseId id{};
  std::string service;
  Owner owner;
  LeaseState state = LeaseState::active;
  Bytes charge{0};
  std::optional<std::chrono::nanoseconds> ends_in;  ///< when it expires, or when its draining is given up
};

/// Why one device does not take a request, and what would have to go.
struct DeviceRefusal {
  std::string device;
  std::uint32_t index = 0;
  Bar bar = Bar::none;
  std::string detail;  ///< what the bar does not say: why it is unavailable or closed
  Bytes available{0};
  Bytes capacity{0};
  Bytes short_by{0};
  std::vector<InTheWay> leases;         ///< the largest first, no more than kMostInTheWay
  std::size_t more_leases = 0;          ///< beyond those
  std::vector<ForeignProcess> foreign;  ///< the largest first, no more than kMostInTheWay
  Bytes unmanaged{0};                   ///< used without a lease, foreign processes and all else
  Bytes draining{0};                    ///< on its way back
  /// What asking could give back: observed beyond what is guaranteed.
  Bytes reclaimable{0};
  LeaseId behind{};  ///< of Bar::reserved: who waits for it

  static constexpr std::size_t kMostInTheWay = 5;
};

/// The answer to a request that gets nothing: what is wrong or short, where, and what stands in the way.
struct Refusal {
  RefusalCause cause = RefusalCause::invalid;
  Error error;  ///< what callers decide by, and the first sentence
  std::vector<DeviceRefusal> devices;
  bool may_come = false;  ///< whether waiting may help: what is missing is held by somebody

  /// The first sentence, then one a device. Names of processes are made harmless.
  std::vector<std::string> sentences() const;
  /// The sentences in one line each.
  std::string text() const;
};

}  // namespace gpukeeper
