#include "booking/reality_of.hpp"

#include <string_view>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

constexpr std::string_view kUnitEnd = ".service";

// The service to which a process belongs, from its systemd unit: "embedding-service.service" is embedding-service.
std::string service_of(const ProcessFacts& facts) {
  if (!facts.place || !facts.place->unit) return {};
  const std::string_view unit = *facts.place->unit;
  return unit.ends_with(kUnitEnd) ? std::string(unit.substr(0, unit.size() - kUnitEnd.size())) : std::string();
}

std::string too_hot(const Throttling& throttling) {
  for (const ThrottleRequest& request : throttling.requests) {
    if (request.cause == ThrottleCause::thermal && request.multiplier <= 0.5) {
      return fmt::format("is too hot for anything new ({})", request.reason);
    }
  }
  return {};
}

// Of a process that may not be looked at nobody knows whether its pid is one of our namespace.
bool counts_elsewhere(const Device& device, const ProcessFacts* facts) {
  if (device.simulated || device.recorded) return true;
  return facts && !facts->start_ticks && facts->start_ticks.error() == Missing::not_permitted;
}

ObservedProcess observed(const GpuProcess& process, const Device& device, const Snapshot& snapshot) {
  ObservedProcess o;
  o.pid = process.pid;
  o.name = process.name;
  o.memory = process.memory;
  o.compute = process.type.compute || process.type.mps || !process.type.graphics;
  const ProcessFacts* facts = process.facts ? process.facts.get() : snapshot.who->find(device.id, process.pid);
  o.elsewhere = counts_elsewhere(device, facts);
  if (!facts) return o;
  o.start_ticks = facts->start_ticks.value_or(0);
  o.service = service_of(*facts);
  if (o.elsewhere) return o;
  o.forebears = facts->forebears;
  o.lease = LeaseId{facts->lease};
  if (facts->uid) o.uid = *facts->uid;
  return o;
}

// `whole` is the physical device: of a partition the one that it is a part of.
DeviceReality reality(const DeviceSnapshot& d, const DeviceSnapshot& whole, const Snapshot& snapshot) {
  DeviceReality r;
  r.id = d.device->id.text;
  r.index = d.index;
  r.name = d.device->name;
  r.available = d.available;
  r.unavailable_because = d.reason;
  r.closed_because =
      d.partitions.empty() ? too_hot(whole.throttling) : "is divided into partitions: ask for one of them";
  r.total = d.reading.memory_total;
  r.reserved = d.reading.memory_reserved;
  r.used = d.reading.memory_used;
  r.unified = d.reading.memory_unified.value_or(false);
  r.temperature = guarding_temperature(whole.reading);
  r.load = d.reading.utilization;
  if (!d.processes_reason.empty()) return r;
  auto& processes = r.processes.emplace();
  for (const GpuProcess& process : *d.processes) {
    processes.push_back(observed(process, *d.device, snapshot));
  }
  if (&d == &whole) return r;
  for (const GpuProcess& process :
       *whole.processes) {  // a driver may list them with the device, and name the partition
    if (process.partition == d.device->id) processes.push_back(observed(process, *whole.device, snapshot));
  }
  return r;
}

}  // namespace

Reality reality_of(const Snapshot& snapshot) {
  Reality all;
  std::vector<const Device*> devices;
  for (const DeviceSnapshot& device : snapshot.devices) {
    all.devices.push_back(reality(device, device, snapshot));
    devices.push_back(device.device.get());
    for (const DeviceSnapshot& partition : device.partitions) {
      all.devices.push_back(reality(partition, device, snapshot));
      devices.push_back(partition.device.get());
    }
  }
  all.topology = topology_of(devices);
  return all;
}

}  // namespace gpukeeper
