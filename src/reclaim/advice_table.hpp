#pragma once

#include <string>
#include <string_view>

#include "ledger/lease.hpp"

namespace gpukeeper::reclaim {

/// What the owner of a process without a lease can do, a sentence. By its program's name, without a path.
std::string recommendation_for_process(std::string_view name, bool compute);

/// The same for a lease that has no registered holder.
std::string recommendation_for_lease(const Lease& lease);

}  // namespace gpukeeper::reclaim
