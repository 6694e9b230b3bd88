#include <algorithm>
#include <string>
#include <vector>

#include "prometheus/family_gpukeeper.hpp"
#include "prometheus/own_parts.hpp"
#include "prometheus/services.hpp"

namespace gpukeeper::prometheus {
namespace {

using enum FamilyType;

// An account and the labels of its device. One whose device has gone is in no snapshot, and so in no metric.
struct Account {
  const BookedDevice* booked;
  const LabelledDevice* device;
};

std::vector<Account> accounts(const Booked& booked, Devices devices) {
  std::vector<Account> result;
  for (const LabelledDevice& device : devices) {
    const auto found = std::ranges::find(booked.devices, device->device->id, &BookedDevice::id);
    if (found != booked.devices.end()) result.push_back({&*found, &device});
  }
  return result;
}

struct AmountMetric {
  Family family;
  Metric<Bytes> (*value)(const BookedDevice&);
};

const std::vector<AmountMetric>& amounts() {
  static const std::vector<AmountMetric> all = {
      {Family("gpukeeper_ledger_capacity_bytes", gauge, "bytes", "Memory of the GPU that can be booked at all."),
       [](const BookedDevice& d) { return d.capacity; }},
      {Family("gpukeeper_ledger_available_bytes", gauge, "bytes", "Memory that can be granted now."),
       [](const BookedDevice& d) { return d.available; }},
      {Family("gpukeeper_ledger_unmanaged_bytes", gauge, "bytes", "Memory in use that belongs to no lease."),
       [](const BookedDevice& d) { return d.unmanaged; }},
      {Family("gpukeeper_ledger_booked_bytes", gauge, "bytes", "Memory guaranteed to leases that are held."),
       [](const BookedDevice& d) -> Metric<Bytes> { return d.booked; }},
      {Family("gpukeeper_ledger_charged_bytes", gauge, "bytes",
              "What is counted for leases that are held: what is guaranteed to them or, where that is more, in use."),
       [](const BookedDevice& d) -> Metric<Bytes> { return d.charged; }},
      {Family("gpukeeper_ledger_draining_bytes", gauge, "bytes",
              "Memory of leases that are over, which the driver does not show as free yet."),
       [](const BookedDevice& d) -> Metric<Bytes> { return d.draining; }},
      {Family("gpukeeper_ledger_leaked_bytes", gauge, "bytes", "Memory still in use by leases that are over for long."),
       [](const BookedDevice& d) -> Metric<Bytes> { return d.leaked; }},
  };
  return all;
}

std::uint64_t count_on(const std::vector<BookedLease>& leases, const DeviceId& device) {
  return static_cast<std::uint64_t>(std::ranges::count(leases, device, &BookedLease::device));
}

}  // namespace

void write_booked(Exposition& out, const Snapshot& snapshot, Devices devices) {
  static const Family kOpen("gpukeeper_ledger_open", gauge, "",
                            "Whether leases are granted: 0 while they cannot be kept.");
  static const Family kLeases("gpukeeper_ledger_leases", gauge, "", "Leases that are held.");
  static const Family kOverused("gpukeeper_ledger_overused_leases", gauge, "",
                                "Leases whose processes use more than they may.");
  static const Family kLeaked("gpukeeper_ledger_leaked_leases", gauge, "",
                              "Leases that are over for long and whose memory was not given back.");
  if (!snapshot.booked) return;
  const Booked& booked = *snapshot.booked;
  const std::vector<Account> all = accounts(booked, devices);
  out.begin(kOpen);
  out.add({}, booked.closed.empty() ? 1U : 0U);
  for (const AmountMetric& metric : amounts()) {
    out.begin(metric.family);
    for (const Account& each : all) {
      if (const auto value = metric.value(*each.booked)) out.add(each.device->labels, value->value());
    }
  }
  out.begin(kLeases);
  for (const Account& each : all) out.add(each.device->labels, each.booked->leases);
  out.begin(kOverused);
  for (const Account& each : all) out.add(each.device->labels, count_on(booked.overused, each.booked->id));
  out.begin(kLeaked);
  for (const Account& each : all) out.add(each.device->labels, count_on(booked.leaked, each.booked->id));
}

void write_processes(Exposition& out, const Snapshot& snapshot, Devices devices) {
  static const Family kProcesses("gpukeeper_processes", gauge, "", "Processes on the GPU.");
  static const Family kMemory("gpukeeper_service_memory_bytes", gauge, "bytes",
                              "Memory of the GPU by what its processes are part of: a pod, a job, a container, a "
                              "systemd service or a user.");
  out.begin(kProcesses);
  for (const LabelledDevice& device : devices) {
    const bool known = device->processes_reason.empty() || !device->processes->empty();
    if (known && !device.place.parent) out.add(device.labels, device->processes->size());
  }
  out.begin(kMemory);
  for (const LabelledDevice& device : devices) {
    for (const ServiceMemory& each : memory_by_service(snapshot, *device, kMostServices)) {
      out.add(device.labels, label("service", each.service), each.bytes);
    }
  }
}

}  // namespace gpukeeper::prometheus
