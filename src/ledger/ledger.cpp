#include "ledger/ledger.hpp"

#include <algorithm>
#include <utility>

#include "ledger/ledger_parts.hpp"

namespace gpukeeper {
namespace {

std::string key_of(const Lease& lease) {
  return request_key(lease.service.text(), lease.uid, lease.request_id);
}

}  // namespace

Ledger::Ledger(LedgerSettings settings) : settings_(std::move(settings)), queue_(settings_.ageing) {
  for (const ServiceQuota& quota : settings_.services) service_account(quota.service).quota = quota;
}

// Settings.

void Ledger::configure(LedgerSettings settings, Moment at) {
  settings_ = std::move(settings);
  for (auto& [name, account] : services_) account.quota.reset();
  for (const ServiceQuota& quota : settings_.services) {
    ServiceAccount& account = service_account(quota.service);
    account.quota = quota;
    if (account.known == 0) account.name = Symbol(quota.service);
  }
  std::erase_if(services_, [](const auto& entry) { return !entry.second.quota && entry.second.known == 0; });
  apply_limits();
  WaitQueue queue(settings_.ageing);
  for (const auto& [rank, entry] : queue_.entries()) {
    const Lease& lease = leases_.at(entry.id);
    // When it came stands in its rank, which was made with the ageing of then.
    queue.add(queue.rank(entry.id, lease.priority, queue_.came(rank, lease.priority)), entry);
  }
  queue_ = std::move(queue);
  forget_old_history();
  serve(at);
}

void Ledger::apply_limits() {
  for (DeviceAccount& device : devices_) {
    const auto own = settings_.limits.find(device.id().text());
    device.set_limit(own == settings_.limits.end() ? settings_.limit : own->second, settings_.documented,
                     settings_.bookkeeping_only);
  }
}

void Ledger::close(Error why, bool writable) {
  closed_ = std::move(why);
  writable_ = writable;
}

void Ledger::open(Moment at) {
  closed_.reset();
  writable_ = true;
  serve(at);
}

// The books.

ServiceAccount& Ledger::service_account(std::string_view name) {
  if (const auto found = services_.find(name); found != services_.end()) return found->second;
  ServiceAccount& account = services_[std::string(name)];
  account.name = Symbol(std::string(name));
  return account;
}

std::size_t Ledger::slot(const Symbol& device) const {
  const auto found = std::ranges::find(devices_, device, &DeviceAccount::id);
  return static_cast<std::size_t>(found - devices_.begin());
}

std::size_t Ledger::slot_of(std::string_view device) {
  const auto found = std::ranges::find_if(devices_, [&](const DeviceAccount& d) { return d.id() == device; });
  if (found != devices_.end()) return static_cast<std::size_t>(found - devices_.begin());
  devices_.emplace_back(Symbol(std::string(device)));
  devices_.back().set_limit(settings_.limit, settings_.documented, settings_.bookkeeping_only);
  if (const auto own = settings_.limits.find(std::string(device)); own != settings_.limits.end()) apply_limits();
  return devices_.size() - 1;
}

// A lease's share of all sums, taken in or out.
void Ledger::count(const Lease& lease, int sign) {
  if (!lease.device) return;
  const std::size_t at = slot(lease.device);
  if (sign > 0) {
    devices_[at].add(lease);
  } else {
    devices_[at].remove(lease);
  }
  if (!is_held(lease.state)) return;
  ServiceAccount& service = service_account(lease.service.text());
  if (service.on_device.size() <= at) service.on_device.resize(at + 1);
  if (sign > 0) {
    ++service.leases;
    ++service.on_device[at];
    service.booked = service.booked + lease.min;
  } else {
    --service.leases;
    --service.on_device[at];
    service.booked = remaining(service.booked, lease.min);
  }
}

Lease& Ledger::insert(Lease lease) {
  remember(lease.id, nullptr);
  const LeaseId id = lease.id;
  Lease& kept = leases_.emplace(id, std::move(lease)).first->second;
  ++service_account(kept.service.text()).known;
  count(kept, 1);
  if (!kept.name.empty() && kept.device) names_.emplace(kept.name, id);
  note_request(kept);
  return kept;
}

void Ledger::note_request(const Lease& lease) {
  if (!lease.request_id.empty() && lease.id == lease.group) requests_[key_of(lease)] = lease.id;
}

void Ledger::forget_request(const Lease& lease) {
  if (lease.request_id.empty()) return;
  const auto known = requests_.find(key_of(lease));
  if (known != requests_.end() && known->second == lease.id) requests_.erase(known);
}

void Ledger::erase(LeaseId id) {
  const auto found = leases_.find(id);
  const Lease& lease = found->second;
  count(lease, -1);
  if (!lease.name.empty()) {
    const auto [begin, end] = names_.equal_range(lease.name);
    const auto entry = std::find_if(begin, end, [&](const auto& e) { return e.second == id; });
    if (entry != end) names_.erase(entry);
  }
  const auto service = services_.find(lease.service.text());
  if (--service->second.known == 0 && !service->second.quota) services_.erase(service);
  leases_.erase(found);
}

// What is known.

const Lease* Ledger::find(LeaseId id) const {
  const auto found = leases_.find(id);
  return found == leases_.end() ? nullptr : &found->second;
}

const Lease* Ledger::find(std::string_view device, std::string_view name) const {
  if (names_.empty()) return nullptr;
  const auto [begin, end] = names_.equal_range(std::string(name));
  for (auto entry = begin; entry != end; ++entry) {
    const Lease& lease = leases_.at(entry->second);
    if (lease.device == device && is_held(lease.state)) return &lease;
  }
  return nullptr;
}

const Lease* Ledger::find_ended(LeaseId id) const {
  const auto found = std::ranges::find(history_, id, &Lease::id);
  return found == history_.end() ? nullptr : &*found;
}

std::vector<Lease> Ledger::leases() const {
  std::vector<Lease> all;
  all.reserve(leases_.size());
  for (const auto& [id, lease] : leases_) all.push_back(lease);
  std::ranges::sort(all, {}, &Lease::id);
  return all;
}

void Ledger::each(const std::function<void(const Lease&)>& look) const {
  for (const auto& [id, lease] : leases_) look(lease);
}

const std::vector<ProcessOwner>& Ledger::processes_of(LeaseId id) const {
  static const std::vector<ProcessOwner> kNone;
  const auto found = processes_.find(id);
  return found == processes_.end() ? kNone : found->second;
}

std::vector<LeaseId> Ledger::waiting() const {
  std::vector<LeaseId> ids;
  for (const auto& [rank, entry] : queue_.entries()) ids.push_back(entry.id);
  return ids;
}

std::vector<ProcessOwner> Ledger::owners() const {
  std::vector<ProcessOwner> all;
  for (const auto& [id, lease] : leases_) {
    if (lease.state != LeaseState::waiting && !is_held(lease.state)) continue;
    if (const auto* process = std::get_if<ProcessOwner>(&lease.owner)) all.push_back(*process);
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());  // clang 14 cannot take ranges::unique
  return all;
}

const DeviceAccount* Ledger::device(std::string_view id) const {
  const auto found = std::ranges::find_if(devices_, [&](const DeviceAccount& d) { return d.id() == id; });
  return found == devices_.end() ? nullptr : &*found;
}

const ServiceAccount* Ledger::service(std::string_view name) const {
  const auto found = services_.find(name);
  return found == services_.end() ? nullptr : &found->second;
}

std::vector<LedgerEvent> Ledger::take_events() {
  std::vector<LedgerEvent> taken;
  taken.swap(events_);
  accepted_events_ = 0;
  return taken;
}

}  // namespace gpukeeper
