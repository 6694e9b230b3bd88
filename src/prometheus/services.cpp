#include "prometheus/services.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "prometheus/labels.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper::prometheus {

std::string service_of(const ProcessFacts* facts) {
  constexpr std::size_t kShortId = 12;  // as container tools show it
  if (!facts) return "unknown";
  if (facts->place) {
    const ProcessPlace& place = *facts->place;
    if (place.pod) return "pod/" + pod_title(*place.pod);
    if (place.pod_uid) return "pod/" + *place.pod_uid;
    if (place.slurm_job) return "slurm/" + *place.slurm_job;
    if (place.container) return fmt::format("{}/{}", place.container->runtime, place.container->id.substr(0, kShortId));
    if (place.unit && place.unit->ends_with(".service") && !place.unit->starts_with("user@")) return *place.unit;
  }
  return facts->user ? "user/" + *facts->user : "unknown";
}

std::vector<ServiceMemory> memory_by_service(const Snapshot& snapshot, const DeviceSnapshot& device, std::size_t most) {
  std::map<std::string, std::uint64_t> sums;
  for (const GpuProcess& process : *device.processes) {
    if (!process.memory) continue;
    sums[label_value(service_of(facts_of(snapshot, device, process)))] += process.memory->value();
  }
  std::vector<ServiceMemory> all;
  for (auto& [service, bytes] : sums) all.push_back({service, bytes});
  std::ranges::stable_sort(all, std::greater(), &ServiceMemory::bytes);
  if (all.size() <= most) return all;
  std::uint64_t rest = 0;
  for (std::size_t i = most; i < all.size(); ++i) rest += all[i].bytes;
  all.resize(most);
  all.push_back({"other", rest});
  return all;
}

}  // namespace gpukeeper::prometheus
