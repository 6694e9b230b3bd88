#include "reclaim/sight.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace gpukeeper::reclaim {
namespace {

// `ledger` is null where only the drivers are asked.
void add(Sight& sight, const DeviceSnapshot& d, const Ledger* ledger, const Snapshot& snapshot) {
  const std::string& id = d.device->id.text;
  const DeviceAccount* account = ledger ? ledger->device(id) : nullptr;
  SeenDevice& device = sight.devices.emplace_back();
  device.id = id;
  device.index = d.index;
  device.total = d.reading.memory_total;
  device.used = d.reading.memory_used;
  device.lists_processes = d.available && d.processes_reason.empty();
  device.nvidia = d.device->vendor == Vendor::nvidia;
  device.ours = !d.device->simulated && !d.device->recorded;
  if (account) device.available = account->available();
  for (const GpuProcess& process : *d.processes) {
    const ProcessFacts* facts = process.facts ? process.facts.get() : snapshot.who->find(d.device->id, process.pid);
    SeenProcess& seen = sight.processes.emplace_back();
    seen.device = id;
    seen.pid = process.pid;
    seen.name = process.name;
    seen.memory = process.memory;
    seen.load = process.utilization;
    seen.compute = process.type.compute || process.type.mps || !process.type.graphics;
    seen.mps = process.type.mps;
    if (facts) {
      seen.start_ticks = facts->start_ticks.value_or(0);
      seen.user = facts->user.value_or("");
    }
    seen.foreign = account && std::ranges::any_of(account->facts().foreign, [&](const ForeignProcess& foreign) {
                     return foreign.pid == process.pid;
                   });
  }
}

void add_devices(Sight& sight, const Ledger* ledger, const Snapshot& snapshot) {
  for (const DeviceSnapshot& device : snapshot.devices) {
    add(sight, device, ledger, snapshot);
    for (const DeviceSnapshot& partition : device.partitions) add(sight, partition, ledger, snapshot);
  }
}

}  // namespace

Metric<double> SeenDevice::fill() const {
  if (!total) return tl::make_unexpected(total.error());
  if (!used) return tl::make_unexpected(used.error());
  if (*total == Bytes(0)) return missing(Missing::not_supported);
  return static_cast<double>(used->value()) / static_cast<double>(total->value());
}

const SeenDevice* Sight::device(std::string_view id) const {
  const auto found = std::ranges::find(devices, id, &SeenDevice::id);
  return found == devices.end() ? nullptr : &*found;
}

const Lease* Sight::lease(LeaseId id) const {
  const auto found = std::ranges::lower_bound(leases, id, {}, &Lease::id);
  return found == leases.end() || found->id != id ? nullptr : &*found;
}

const SeenProcess* Sight::process(std::string_view device, std::int64_t pid) const {
  const auto found = std::ranges::find_if(
      processes, [&](const SeenProcess& process) { return process.pid == pid && process.device == device; });
  return found == processes.end() ? nullptr : &*found;
}

Sight sight_of(const Snapshot& snapshot) {
  Sight sight;
  sight.taken = snapshot.monotonic;
  add_devices(sight, nullptr, snapshot);
  return sight;
}

Sight sight_of(const Ledger& ledger, const Snapshot& snapshot, MonotonicTime booked) {
  Sight sight;
  sight.booked = booked;
  sight.taken = snapshot.monotonic;
  sight.leases = ledger.leases();
  std::map<std::pair<std::string, std::int64_t>, LeaseId> leases;
  for (const Lease& lease : sight.leases) {
    for (const ProcessOwner& process : ledger.processes_of(lease.id)) {
      leases.emplace(std::pair(lease.device.text(), process.pid), lease.id);
    }
  }
  add_devices(sight, &ledger, snapshot);
  for (SeenProcess& process : sight.processes) {
    const auto found = leases.find({process.device, process.pid});
    if (found != leases.end()) process.lease = found->second;
  }
  return sight;
}

}  // namespace gpukeeper::reclaim
