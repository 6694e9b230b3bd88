#include "ledger/placement.hpp"

#include <algorithm>
#include <limits>

namespace gpukeeper {
namespace {

// What is not known compares as the worst: an unknown temperature is not a cold one.
double worst_if_unknown(const auto& metric) {
  return metric ? static_cast<double>(metric->value()) : std::numeric_limits<double>::max();
}

// Below zero when a goes first, above when b does.
int compare(auto a, auto b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

double filled(const Candidate& c) {
  return 1.0 -
         static_cast<double>(c.available.value()) / static_cast<double>(std::max<std::uint64_t>(1, c.capacity.value()));
}

int by_strategy(const Candidate& a, const Candidate& b, Strategy strategy) {
  switch (strategy) {
    case Strategy::most_free: return compare(b.available, a.available);
    case Strategy::best_fit: return compare(a.available, b.available);
    case Strategy::spread: {
      const int fewer = compare(a.leases, b.leases);
      return fewer != 0 ? fewer : compare(b.available, a.available);
    }
    case Strategy::pack: {
      const int in_use = compare(b.leases > 0, a.leases > 0);
      return in_use != 0 ? in_use : compare(filled(b), filled(a));
    }
    case Strategy::coolest: {
      const int cooler = compare(worst_if_unknown(a.temperature), worst_if_unknown(b.temperature));
      return cooler != 0 ? cooler : compare(worst_if_unknown(a.load), worst_if_unknown(b.load));
    }
  }
  return 0;
}

using Group = std::vector<std::size_t>;  // positions among the candidates

int nearness(const Topology& topology, const Candidate& a, const Candidate& b) {
  return static_cast<int>(topology.between(a.device, b.device));
}

int nearness(const Topology& topology, std::span<const Candidate> candidates, const Group& group, std::size_t to) {
  int sum = 0;
  for (const std::size_t member : group) sum += nearness(topology, candidates[member], candidates[to]);
  return sum;
}

}  // namespace

bool better(const Candidate& a, const Candidate& b, Strategy strategy) {
  if (a.preferred != b.preferred) return a.preferred;
  if (a.apart != b.apart) return b.apart;
  if (a.near != b.near) return a.near;
  const int order = by_strategy(a, b, strategy);
  return order != 0 ? order < 0 : a.index < b.index;
}

std::vector<std::size_t> choose(std::span<const Candidate> candidates, std::size_t count, Strategy strategy,
                                const Topology& topology) {
  const auto before = [&](const Candidate& a, const Candidate& b) { return better(a, b, strategy); };
  if (count == 0 || candidates.size() < count) return {};
  if (count == 1) return {std::ranges::min_element(candidates, before)->device};

  std::vector<Candidate> ranked(candidates.begin(), candidates.end());
  std::ranges::sort(ranked, before);
  // A group is grown from each candidate by whoever is nearest to those that are in it. That finds what nodes really
  // have (pairs, quads, everything behind one switch) in 16³ steps; all groups of 8 of 16 would be 12,870 times 28.
  Group best;
  int best_sum = -1;
  for (std::size_t first = 0; first < ranked.size(); ++first) {
    Group group = {first};
    int sum = 0;
    while (group.size() < count) {
      int most = -1;
      std::size_t nearest = 0;
      for (std::size_t next = 0; next < ranked.size(); ++next) {
        if (std::ranges::find(group, next) != group.end()) continue;
        const int shared = nearness(topology, ranked, group, next);
        if (shared > most) {
          most = shared;
          nearest = next;
        }
      }
      sum += most;
      group.push_back(nearest);
    }
    if (sum > best_sum) {
      best_sum = sum;
      best = std::move(group);
    }
  }
  std::vector<std::size_t> devices;
  for (const std::size_t member : best) devices.push_back(ranked[member].device);
  std::ranges::sort(devices);
  return devices;
}

}  // namespace gpukeeper
