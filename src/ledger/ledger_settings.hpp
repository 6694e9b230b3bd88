#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"

namespace gpukeeper {

/// By which the devices that have room are compared. A tie goes to the one with the lowest index.
enum class Strategy : std::uint8_t {
  most_free,  ///< the one with the most room (the documented default)
  best_fit,   ///< the one on which the least is left over
  spread,     ///< the one with the fewest leases
  pack,       ///< one in use before one that is empty, and the fullest of those: whole devices stay free
  coolest,    ///< the coldest and idlest
};

std::string_view to_string(Strategy strategy);
std::optional<Strategy> parse_strategy(std::string_view word);
/// "most_free, best_fit, …": what parse_strategy takes, for messages.
std::string strategy_words();

/// How much of a device may be booked.
struct DeviceLimit {
  /// Kept free on top of what the driver reserves. Where nothing is said: 2 % of the device or 256 MiB, whichever is
  /// more (contexts of a few hundred MiB each are what else is overlooked); of memory that is shared with the
  /// processors, 40 %.
  std::optional<Bytes> headroom;
  /// What all leases together may be guaranteed; total less reserved less headroom where nothing is said.
  std::optional<Bytes> most;
  /// 80 % of the device instead of `most`, as the documents advise for a machine that does other things too.
  bool most_is_auto = false;
  /// How far the sum of all maxima may exceed what can be booked: 1 for not at all.
  double burst_ratio = 1.0;
  friend bool operator==(const DeviceLimit&, const DeviceLimit&) = default;
};

/// The documented limits (`memory_limit_mb`, `memory_reserve_mb`): they bound only leases made through the documented
/// surface, all of them on one device together.
struct DocumentedLimit {
  std::optional<Bytes> limit = 6144_MiB;  ///< nothing for `auto`: 80 % of the device
  Bytes reserve = 512_MiB;
  friend bool operator==(const DocumentedLimit&, const DocumentedLimit&) = default;
};

/// What a service may have. A bound of 0 means nothing at all, never "no bound".
struct ServiceQuota {
  std::string service;
  std::optional<Bytes> min_request;
  std::optional<Bytes> max_request;
  std::optional<Bytes> total;  ///< guaranteed to all its leases together
  std::optional<std::uint32_t> leases;
  std::vector<std::string> devices;  ///< ids of those that it may use; empty for all
  std::string preferred_device;      ///< id; empty for none
  std::vector<std::string> near;     ///< services whose devices it prefers
  std::vector<std::string> apart;    ///< services whose devices it avoids where there is a choice
  std::int32_t priority = 0;         ///< of its requests that say none
  friend bool operator==(const ServiceQuota&, const ServiceQuota&) = default;
};

/// All that a user may set of the ledger.
struct LedgerSettings {
  DeviceLimit limit;                          ///< of every device that has none of its own
  std::map<std::string, DeviceLimit> limits;  ///< by device id
  DocumentedLimit documented;
  std::vector<ServiceQuota> services;
  Strategy strategy = Strategy::most_free;
  /// Admit by the books alone, as the documented systems did: what processes really use is not looked at.
  bool bookkeeping_only = false;
  std::size_t queue = 1024;                                                ///< requests that may wait
  std::chrono::nanoseconds ageing = std::chrono::seconds(30);              ///< of waiting outweigh one step of priority
  std::chrono::nanoseconds allocation_timeout = std::chrono::seconds(30);  ///< of a wait that names no deadline
  std::chrono::nanoseconds deallocation_timeout = std::chrono::seconds(10);  ///< of draining; then it is a leak
  std::size_t history = 1000;                                                ///< ended leases that are remembered
  friend bool operator==(const LedgerSettings&, const LedgerSettings&) = default;
};

/// Priorities reach from -kMostPriority to kMostPriority.
inline constexpr std::int32_t kMostPriority = 100;

/// The settings judged as a whole: what is wrong and what would be right.
Result<void> check(const LedgerSettings& settings);

/// The one spelling of a service's name: the documents write `embedding_service` and `embedding-service` for one and
/// the same.
std::string canonical_service(std::string_view name);

}  // namespace gpukeeper
