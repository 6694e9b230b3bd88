#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace gpukeeper::report {

/// What of a lease a report needs. Texts may hold anything.
struct LeaseFacts {
  std::string id;
  std::string service;
  std::string user;                    ///< empty where it is not known
  std::optional<std::uint64_t> index;  ///< of its device; nothing for one that has gone
  std::string state;
  double booked_bytes = 0;  ///< guaranteed, by its present terms
  double peak_bytes = 0;    ///< the most that the driver ever showed of it
  bool observed = false;    ///< whether the driver ever showed anything of it: a peak of 0 may be that nobody looked
  WallTime granted{};
  std::optional<WallTime> ended;  ///< nothing while it is held
};

/// Out of gpukeeper.leases/1: those that were granted, the ended ones too where the document has them. It may be of
/// another version, so what is missing or of another type is passed over, and so is what is no such document.
std::vector<LeaseFacts> lease_facts(std::string_view leases);

/// How long it was held between two moments, in seconds.
double held_seconds(const LeaseFacts& lease, WallTime from, WallTime to);

/// Held for ten minutes of that time at the least (to have loaded a model), more than a GiB large, and never more than
/// a quarter of it used.
bool is_underused(const LeaseFacts& lease, WallTime from, WallTime to);

}  // namespace gpukeeper::report
