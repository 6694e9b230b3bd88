#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/units.hpp"
#include "ledger/lease.hpp"
#include "ledger/ledger_settings.hpp"

namespace gpukeeper {

/// What somebody asks for.
struct LeaseRequest {
  std::string service;
  std::string name;
  std::string request_id;
  Bytes min{0};
  std::optional<Bytes> max;  ///< min where nothing is said
  Owner owner;
  std::uint32_t uid = 0;
  std::optional<std::int32_t> priority;  ///< that of the service's quota, else 0
  bool exclusive = false;
  Surface surface = Surface::native;
  std::uint32_t devices = 1;         ///< on so many at once, all or none, `min` on each
  std::string device;                ///< the id of one that is preferred; empty for none
  bool require_device = false;       ///< that one or none
  std::optional<Strategy> strategy;  ///< by which devices are compared; that of the settings where nothing is said
  std::optional<std::chrono::nanoseconds> wait;  ///< stand in the queue so long; refused at once where nothing is said
  std::optional<std::chrono::nanoseconds> lifetime;  ///< it expires after that, whatever its owner does
  Metadata metadata;

  friend bool operator==(const LeaseRequest&, const LeaseRequest&) = default;
};

/// The longest name, service and request id, in bytes (contract, BUG-021), and all metadata together.
inline constexpr std::size_t kLongestName = 256;
inline constexpr std::size_t kMostMetadata = 16 * 1024;

/// The request judged by itself, without looking at any device: what is wrong and what would be right.
/// Errors: invalid_argument.
Result<void> check(const LeaseRequest& request);

}  // namespace gpukeeper
