#include "ledger/topology.hpp"

#include <algorithm>

namespace gpukeeper {
namespace {

using Nearness = Topology::Nearness;

bool is_fast(const Link& link) {
  return link.kind == Link::Kind::nvlink || link.kind == Link::Kind::xgmi;
}

bool reaches(const Device& from, const Device& to, bool fast) {
  if (!to.pci) return false;
  const std::string peer = to.pci->to_string();
  return std::ranges::any_of(from.links, [&](const Link& link) { return is_fast(link) == fast && link.peer == peer; });
}

bool reaches_a_switch(const Device& device) {
  return std::ranges::any_of(device.links, [](const Link& link) { return is_fast(link) && link.peer == "switch"; });
}

Nearness between(const Device& a, const Device& b) {
  if (reaches(a, b, true) || reaches(b, a, true) || (reaches_a_switch(a) && reaches_a_switch(b))) {
    return Nearness::linked;
  }
  if (reaches(a, b, false) || reaches(b, a, false)) return Nearness::same_bridge;
  if (a.numa_node && b.numa_node && *a.numa_node == *b.numa_node) return Nearness::same_node;
  return Nearness::far;
}

}  // namespace

Topology topology_of(const std::vector<const Device*>& devices) {
  Topology topology(devices.size());
  for (std::size_t a = 0; a < devices.size(); ++a) {
    for (std::size_t b = a + 1; b < devices.size(); ++b) topology.set(a, b, between(*devices[a], *devices[b]));
  }
  return topology;
}

}  // namespace gpukeeper
