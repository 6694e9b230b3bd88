#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/units.hpp"
#include "device/metric.hpp"
#include "ledger/ledger_settings.hpp"
#include "ledger/topology.hpp"

namespace gpukeeper {

/// A device that has room, as placement sees it.
struct Candidate {
  std::size_t device = 0;  ///< its place among the devices
  std::uint32_t index = 0;
  Bytes available{0};  ///< at least what is asked for
  Bytes capacity{0};
  std::uint32_t leases = 0;
  Metric<Celsius> temperature = missing(Missing::not_supported);
  Metric<Percent> load = missing(Missing::not_supported);
  bool preferred = false;  ///< by the request, or else by its service
  bool near = false;       ///< a service that it wants to be near is there
  bool apart = false;      ///< a service that it wants to be away from is there
};

/// Whether a is the better place than b. A preferred device goes first, then one that is not to be avoided, then one
/// that is near, then what the strategy says, then the lower index.
bool better(const Candidate& a, const Candidate& b, Strategy strategy);

/// The best `count` candidates, in the order of the devices; empty when there are fewer. One is the best one. Several
/// are those that are nearest to each other, and of equally near groups the better ones.
std::vector<std::size_t> choose(std::span<const Candidate> candidates, std::size_t count, Strategy strategy,
                                const Topology& topology);

}  // namespace gpukeeper
