#include "faults/fault_scene.hpp"

#include <algorithm>

namespace gpukeeper {
namespace {

// A clock that is read by different programs: what seems to be this little before the beginning was not.
constexpr auto kClockTolerance = std::chrono::seconds(2);

FaultProcess described(const GpuProcess& process, const ProcessFacts* facts) {
  FaultProcess result;
  result.pid = process.pid;
  result.name = process.name;
  if (!facts) facts = process.facts.get();
  if (!facts) return result;
  if (result.name.empty()) result.name = facts->command.value_or("");
  if (facts->user) result.user = *facts->user;
  if (facts->place && facts->place->container) result.container = facts->place->container->id;
  return result;
}

bool holds(const std::vector<FaultProcess>& processes, std::int64_t pid) {
  return std::ranges::find(processes, pid, &FaultProcess::pid) != processes.end();
}

bool same_slot(const std::optional<PciAddress>& a, const PciAddress& b) {
  return a && a->domain == b.domain && a->bus == b.bus && a->device == b.device;
}

}  // namespace

void SceneFinder::look(const Snapshot& snapshot) {
  if (!began_) began_ = snapshot.taken_at;
  now_ = snapshot.monotonic;
  for (const DeviceSnapshot& d : snapshot.devices) {
    for (const DeviceSnapshot& partition : d.partitions) parents_[partition.device->id] = d.device->id;
    Place& place = places_[d.device->id];
    place.device = d.device;
    const bool known = d.processes_reason.empty();
    if (place.known && (!known || place.now.list != d.processes)) {
      place.before = std::move(place.now);
      place.until = now_;
    }
    place.known = known;
    place.now = {d.processes, snapshot.who};
  }
}

FaultScene SceneFinder::of(const DeviceEvent& event) const {
  FaultScene scene;
  scene.pci = event.pci;
  const Place* place = find(event);
  if (place) {
    const Device& device = *place->device;
    scene.device = device.id;
    if (device.pci) scene.pci = device.pci;
    scene.device_name = device.name;
    scene.simulated = device.simulated;
    scene.recorded = device.recorded;
  } else if (event.id) {
    scene.device = *event.id;
  } else if (event.pci) {
    scene.device.text = "PCI-" + event.pci->to_string();
  }
  if (!place) {
    // What a source of made-up devices says of a device that is not listed, or of the whole machine, is made up too.
    for (const auto& [id, other] : places_) {
      if (other.device->source != event.source) continue;
      scene.simulated |= other.device->simulated;
      scene.recorded |= other.device->recorded;
    }
  }
  scene.processes = processes(place, event);
  return scene;
}

const SceneFinder::Place* SceneFinder::find(const DeviceEvent& event) const {
  if (event.id) {
    const auto parent = parents_.find(*event.id);
    const auto found = places_.find(parent == parents_.end() ? *event.id : parent->second);
    if (found != places_.end()) return &found->second;
  }
  if (!event.pci) return nullptr;
  const Place* neighbour = nullptr;  // another function of the same card, such as its sound
  for (const auto& [id, place] : places_) {
    if (place.device->pci == event.pci) return &place;
    if (same_slot(place.device->pci, *event.pci)) neighbour = &place;
  }
  return neighbour;
}

std::optional<std::vector<FaultProcess>> SceneFinder::processes(const Place* place, const DeviceEvent& event) const {
  std::optional<std::vector<FaultProcess>> result;
  if (place && began_ && event.at >= *began_ - kClockTolerance) {
    const bool of_late = place->before.list && now_ - place->until <= kMoment;
    if (place->known || of_late) result.emplace();
    const auto add = [&](const Crowd& crowd) {
      for (const GpuProcess& process : *crowd.list) {
        if (holds(*result, process.pid)) continue;
        result->push_back(described(process, crowd.who->find(place->device->id, process.pid)));
      }
    };
    if (place->known) add(place->now);
    if (of_late) add(place->before);
    if (result) std::ranges::sort(*result, {}, &FaultProcess::pid);
  }
  if (!event.pid && event.process.empty()) return result;
  if (!result) result.emplace();
  const auto blamed = std::ranges::find_if(*result, [&](const FaultProcess& process) {
    return event.pid ? process.pid == *event.pid : process.name == event.process;
  });
  if (blamed != result->end()) {
    blamed->blamed = true;
    if (blamed->name.empty()) blamed->name = event.process;
  } else {
    result->insert(result->begin(), {.pid = event.pid.value_or(0), .name = event.process, .blamed = true});
  }
  return result;
}

}  // namespace gpukeeper
