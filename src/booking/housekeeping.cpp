#include "booking/housekeeping.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "booking/reality_of.hpp"

namespace gpukeeper {
namespace {

BookedDevice short_of(const DeviceAccount& account) {
  BookedDevice d;
  d.id.text = account.id().text();
  d.capacity = account.capacity();
  d.available = account.available();
  d.unmanaged = account.unmanaged();
  d.booked = account.booked();
  d.charged = account.charged();
  d.draining = account.draining();
  d.leases = account.leases();
  for (const ForeignProcess& process : account.facts().foreign) d.foreign.push_back(process.pid);
  std::ranges::sort(d.foreign);
  return d;
}

BookedLease short_of(const Lease& lease, const Ledger& ledger) {
  BookedLease l;
  l.id = number(lease.id);
  l.service = lease.service.text();
  l.device.text = lease.device.text();
  l.observed = lease.observed;
  l.most = lease.max;
  for (const ProcessOwner& process : ledger.processes_of(lease.id)) l.pids.push_back(process.pid);
  std::ranges::sort(l.pids);
  return l;
}

bool contains(const std::vector<std::int64_t>& sorted, std::int64_t pid) {
  return std::ranges::binary_search(sorted, pid);
}

BookedDevice* find(Booked& booked, std::string_view device) {
  const auto found = std::ranges::find_if(booked.devices, [&](const BookedDevice& d) { return d.id.text == device; });
  return found == booked.devices.end() ? nullptr : &*found;
}

// All that a device lists and that is not foreign is ours.
void name_ours(Booked& booked, const DeviceId& id, const DeviceSnapshot& listing, bool partition) {
  BookedDevice* account = find(booked, id.text);
  if (!account) return;
  for (const GpuProcess& process : *listing.processes) {
    if (partition && process.partition != id) continue;
    if (!contains(account->foreign, process.pid)) account->ours.push_back(process.pid);
  }
  std::ranges::sort(account->ours);
}

}  // namespace

Booked summary(const Ledger& ledger, const Snapshot& snapshot) {
  Booked booked;
  for (const DeviceAccount& account : ledger.devices()) booked.devices.push_back(short_of(account));
  for (const DeviceSnapshot& device : snapshot.devices) {
    name_ours(booked, device.device->id, device, false);
    for (const DeviceSnapshot& partition : device.partitions) {
      name_ours(booked, partition.device->id, partition, false);
      name_ours(booked, partition.device->id, device, true);
    }
  }
  ledger.each([&](const Lease& lease) {
    if (lease.overused) booked.overused.push_back(short_of(lease, ledger));
    if (lease.state != LeaseState::leaked) return;
    booked.leaked.push_back(short_of(lease, ledger));
    if (BookedDevice* account = find(booked, lease.device.text())) {
      account->leaked = account->leaked + lease.observed.value_or(Bytes(0));
    }
  });
  std::ranges::sort(booked.overused, {}, &BookedLease::id);
  std::ranges::sort(booked.leaked, {}, &BookedLease::id);
  if (const auto& closed = ledger.closed()) booked.closed = closed->message;
  return booked;
}

std::vector<account::LeasedProcess> leased_processes(const Ledger& ledger) {
  std::vector<account::LeasedProcess> processes;
  ledger.each([&](const Lease& lease) {
    for (const ProcessOwner& process : ledger.processes_of(lease.id)) {
      processes.push_back({.device = DeviceId{std::string(lease.device.text())},
                           .pid = process.pid,
                           .lease = number(lease.id),
                           .service = std::string(lease.service.text())});
    }
  });
  return processes;
}

std::vector<OverusedLease> overused_leases(const Ledger& ledger, const Snapshot& snapshot) {
  std::vector<OverusedLease> overused;
  std::map<ProcessOwner, std::set<LeaseId>> used;  // by a process: what was granted as one counts once
  ledger.each([&](const Lease& lease) {
    for (const ProcessOwner& process : ledger.processes_of(lease.id)) used[process].insert(lease.group);
    if (!lease.overused) return;
    overused.push_back({.id = lease.id,
                        .service = lease.service.text(),
                        .device = lease.device.text(),
                        .uid = lease.uid,
                        .observed = lease.observed.value_or(Bytes(0)),
                        .most = lease.max,
                        .processes = ledger.processes_of(lease.id)});
  });
  std::set<std::int64_t> shares_a_server;
  for (const DeviceSnapshot& device : snapshot.devices) {
    for (const GpuProcess& process : *device.processes) {
      if (process.type.mps) shares_a_server.insert(process.pid);
    }
  }
  const auto stays_out = [&](const ProcessOwner& process) {
    return process.start_ticks == 0 || used.at(process).size() > 1 || shares_a_server.contains(process.pid);
  };
  for (OverusedLease& lease : overused) std::erase_if(lease.processes, stays_out);
  std::ranges::sort(overused, {}, &OverusedLease::id);
  return overused;
}

void survey(Bookkeeper& book, const BookSettings& settings, const Snapshot& snapshot) {
  book.configure(settings_for(settings, snapshot));
  book.observe(reality_of(snapshot));
}

bool works_under_lease(const Booked& booked, const DeviceSnapshot& device, std::int64_t pid) {
  bool ours = false;
  bool foreign = false;
  bool booked_there = false;
  const auto is_of = [&](const BookedDevice& account) {
    const auto same = [&](const DeviceSnapshot& d) { return d.device->id == account.id; };
    return same(device) || std::ranges::any_of(device.partitions, same);
  };
  for (const BookedDevice& account : booked.devices) {
    if (!is_of(account)) continue;
    ours |= contains(account.ours, pid);
    foreign |= contains(account.foreign, pid);  // also of a whole device whose partition it has a lease of
    booked_there |= account.leases > 0;
  }
  return ours || (booked_there && !foreign);
}

Housekeeping::~Housekeeping() {
  ask_to_stop();
}

void Housekeeping::start() {
  runs_ = true;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Housekeeping::ask_to_stop() {
  thread_.request_stop();
}

void Housekeeping::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) sleep_.until(*clock_, step(), stop);
  runs_ = false;
}

void Housekeeping::see(std::shared_ptr<const Snapshot> snapshot) {
  {
    std::scoped_lock lock(mutex_);
    next_.swap(snapshot);
  }
  sleep_.wake();
}

void Housekeeping::configure(BookSettings settings) {
  {
    std::scoped_lock lock(mutex_);
    new_settings_ = std::move(settings);
  }
  sleep_.wake();
}

std::shared_ptr<const Booked> Housekeeping::booked() const {
  return *booked_.read();
}

MonotonicTime Housekeeping::step() {
  std::shared_ptr<const Snapshot> fresh;
  {
    std::scoped_lock lock(mutex_);
    fresh.swap(next_);
    if (new_settings_) settings_ = *std::exchange(new_settings_, std::nullopt);
  }
  if (fresh) seen_ = fresh;
  if (seen_) set(settings_for(settings_, *seen_));
  const MonotonicTime next = book_.tick();
  if (fresh) book_.observe(reality_of(*fresh));
  if (!seen_) return next;
  auto now = std::make_shared<Booked>();
  auto leased = std::make_shared<std::vector<account::LeasedProcess>>();
  std::vector<OverusedLease> overused;
  book_.look([&](const Ledger& ledger) {
    *now = summary(ledger, *seen_);
    *leased = leased_processes(ledger);
    if (!now->overused.empty()) overused = overused_leases(ledger, *seen_);
  });
  booked_.publish(std::make_shared<const std::shared_ptr<const Booked>>(std::move(now)));
  leased_.publish(std::move(leased));
  if (on_overuse_) on_overuse_(overused);
  return next;
}

// Not at every step: it is a batch, and whoever waits may be served by it.
void Housekeeping::set(LedgerSettings settings) {
  if (settings == set_) return;
  set_ = settings;
  book_.configure(std::move(settings));
}

}  // namespace gpukeeper
