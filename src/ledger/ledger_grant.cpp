// Who gets what, and who waits for it.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ledger/ledger.hpp"
#include "ledger/ledger_parts.hpp"

namespace gpukeeper {

Ledger::Want Ledger::want_of(const LeaseRequest& request) const {
  Want want;
  want.request = &request;
  want.min = request.min;
  want.max = request.max.value_or(request.min);
  want.booked = want.min;
  want.name_is_known = !request.name.empty() && names_.contains(request.name);
  want.service = service(request.service);
  want.quota = want.service && want.service->quota ? &*want.service->quota : nullptr;
  want.priority = request.priority.value_or(want.quota ? want.quota->priority : 0);
  want.preferred = !request.device.empty() || !want.quota ? std::string_view(request.device)
                                                          : std::string_view(want.quota->preferred_device);
  if (!want.preferred.empty()) {
    const auto there = std::ranges::find_if(devices_, [&](const DeviceAccount& d) { return d.id() == want.preferred; });
    if (there != devices_.end()) want.preferred_slot = static_cast<std::size_t>(there - devices_.begin());
  }
  return want;
}

Result<void> Ledger::check_quota(const Want& want) const {
  if (!want.quota) return {};
  const ServiceQuota& quota = *want.quota;
  if (quota.min_request && want.min < *quota.min_request) {
    return fail(Errc::not_permitted, fmt::format("service {} asks for {}, but its requests are of {} at least",
                                                 quota.service, mib(want.min), mib(*quota.min_request)));
  }
  if (quota.max_request && want.max > *quota.max_request) {
    return fail(Errc::not_permitted, fmt::format("service {} asks for {}, but its requests are of {} at most",
                                                 quota.service, mib(want.max), mib(*quota.max_request)));
  }
  const std::uint64_t devices = want.request->devices;
  if (quota.total && want.min.value() > quota.total->value() / devices) {
    return fail(Errc::not_permitted, fmt::format("service {} asks for {} on {} GPUs, but may have {} in all",
                                                 quota.service, mib(want.min), devices, mib(*quota.total)));
  }
  if (quota.leases && devices > *quota.leases) {
    return fail(Errc::not_permitted,
                fmt::format("service {} asks for {} leases, but may have {}", quota.service, devices, *quota.leases));
  }
  return {};
}

// Whether a service may have so much more and so many leases more.
Result<void> Ledger::check_quota_room(const Want& want, Bytes more, std::uint32_t leases) const {
  if (!want.quota) return {};
  const ServiceQuota& quota = *want.quota;
  if (quota.total && more > remaining(*quota.total, want.service->booked)) {
    return fail(Errc::resource_exhausted,
                fmt::format("service {} asks for {}, but of the {} that it may have, {} are booked", quota.service,
                            mib(more), mib(*quota.total), mib(want.service->booked)));
  }
  if (quota.leases && want.service->leases + leases > *quota.leases) {
    return fail(Errc::resource_exhausted, fmt::format("service {} has {} leases, and may have {}", quota.service,
                                                      want.service->leases, *quota.leases));
  }
  return {};
}

Result<void> Ledger::check_quota_room(const Want& want) const {
  const std::uint32_t devices = want.request->devices;
  return check_quota_room(want, Bytes(want.min.value() * devices), devices);
}

Bar Ledger::bar(const Want& want, std::size_t slot) const {
  const DeviceAccount& device = devices_[slot];
  const LeaseRequest& request = *want.request;
  const std::string& id = device.id().text();
  if (request.require_device && slot != want.preferred_slot) return Bar::not_required;
  if (want.quota && !want.quota->devices.empty() &&
      std::ranges::find(want.quota->devices, id) == want.quota->devices.end()) {
    return Bar::not_allowed;
  }
  if (!device.facts().available) return Bar::unavailable;
  const auto& capacity = device.capacity();
  if (!capacity) return Bar::unknown;
  if (want.min > *capacity || want.max > *device.burst_capacity()) return Bar::never;
  const bool documented = request.surface == Surface::documented;
  if (documented && want.min > *device.documented_limit()) return Bar::never;
  if (!device.facts().closed_because.empty()) return Bar::closed;
  if (want.name_is_known && find(id, request.name)) return Bar::name_taken;
  if (device.exclusive() && !want.has_it_alone) return Bar::exclusive;
  if (request.exclusive && device.occupied()) return Bar::occupied;
  if (request.exclusive && device.has_foreign_compute()) return Bar::foreign;
  const auto available = device.available();
  if (!available) return Bar::unknown;
  if (want.min > *available) return Bar::no_room;
  if (want.max > *device.burst_room()) return Bar::burst;
  if (documented && want.booked > *device.documented_available()) return Bar::documented;
  return Bar::none;
}

bool Ledger::may_wait_for(const Want& want, std::size_t slot) const {
  const Bar why = bar(want, slot);
  return why != Bar::not_required && why != Bar::not_allowed && why != Bar::never;
}

// By place: the first of those before `rank` in the queue that wait for the device. To grant it to anybody after them
// might delay them, so nobody gets it; who cannot use what they wait for is not held up. Empty when nobody waits.
std::vector<LeaseId> Ledger::claimed_before(const WaitQueue::Rank& rank) const {
  if (queue_.empty() || queue_.entries().begin()->first >= rank) return {};
  std::vector<LeaseId> claimed(devices_.size());
  for (const auto& [before, entry] : queue_.entries()) {
    if (before >= rank || std::ranges::find(claimed, LeaseId{}) == claimed.end()) break;
    const Want want = want_of(*entry.request);
    if (!check_quota_room(want)) continue;  // it waits for its own service alone
    for (std::size_t slot = 0; slot < devices_.size(); ++slot) {
      if (claimed[slot] == LeaseId{} && may_wait_for(want, slot)) claimed[slot] = entry.id;
    }
  }
  return claimed;
}

// The devices for it; empty when there are not enough.
Ledger::Slots Ledger::place(const Want& want, const std::vector<LeaseId>& claimed) const {
  std::vector<Candidate> candidates;
  candidates.reserve(devices_.size());
  const auto any_on = [&](const std::vector<std::string>& services, std::size_t slot) {
    return std::ranges::any_of(services, [&](const std::string& name) {
      const ServiceAccount* account = service(name);
      return account && account->is_on(slot);
    });
  };
  for (std::size_t slot = 0; slot < devices_.size(); ++slot) {
    if (!claimed.empty() && claimed[slot] != LeaseId{}) continue;
    if (bar(want, slot) != Bar::none) continue;
    const DeviceAccount& device = devices_[slot];
    Candidate& c = candidates.emplace_back();
    c.device = slot;
    c.index = device.facts().index;
    c.available = *device.available();
    c.capacity = *device.capacity();
    c.leases = device.leases();
    c.temperature = device.facts().temperature;
    c.load = device.facts().load;
    c.preferred = slot == want.preferred_slot;
    c.near = want.quota && any_on(want.quota->near, slot);
    c.apart = want.quota && any_on(want.quota->apart, slot);
  }
  return choose(candidates, want.request->devices, want.request->strategy.value_or(settings_.strategy), topology_);
}

MonotonicTime Ledger::deadline_of(const Lease& lease, Moment at) const {
  const auto* heartbeat = std::get_if<HeartbeatOwner>(&lease.owner);
  return heartbeat ? std::min(later(at.now, heartbeat->ttl), lease.over_at) : lease.over_at;
}

// Ids that follow each other; the first of them.
LeaseId Ledger::take_ids(std::uint32_t count) {
  const LeaseId first{numbers_.last_id + 1};
  numbers_.last_id += count;
  return first;
}

Booking Ledger::grant(const Want& want, const Slots& slots, LeaseId first, Moment at) {
  const LeaseRequest& request = *want.request;
  const Symbol service = service_account(request.service).name;
  const auto metadata = request.metadata.empty() ? nullptr : std::make_shared<const Metadata>(request.metadata);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Lease lease;
    lease.id = LeaseId{number(first) + i};
    lease.group = first;
    lease.group_size = static_cast<std::uint32_t>(slots.size());
    lease.fencing_token = ++numbers_.last_token;
    lease.service = service;
    lease.device = devices_[slots[i]].id();
    lease.name = request.name;
    lease.request_id = request.request_id;
    lease.min = want.min;
    lease.max = want.max;
    lease.observed = devices_[slots[i]].sees_processes() ? Metric<Bytes>(Bytes(0)) : missing(Missing::not_supported);
    lease.owner = request.owner;
    lease.priority = want.priority;
    lease.uid = request.uid;
    lease.state = LeaseState::starting;
    lease.surface = request.surface;
    lease.exclusive = request.exclusive;
    lease.created = at.wall;
    lease.changed = at.wall;
    lease.lifetime = request.lifetime.value_or(std::chrono::nanoseconds(0));
    if (request.lifetime) lease.over_at = later(at.now, *request.lifetime);
    lease.deadline = deadline_of(lease, at);
    lease.metadata = metadata;
    note_deadline(lease.deadline);
    insert(std::move(lease));
  }
  return {.id = first, .count = static_cast<std::uint32_t>(slots.size()), .state = LeaseState::starting};
}

Booking Ledger::enqueue(const Want& want, Moment at) {
  const auto request = std::make_shared<const LeaseRequest>(*want.request);
  Lease lease;
  lease.id = take_ids(request->devices);
  lease.group = lease.id;
  lease.group_size = request->devices;
  lease.service = service_account(request->service).name;
  lease.name = request->name;
  lease.request_id = request->request_id;
  lease.min = want.min;
  lease.max = want.max;
  lease.owner = request->owner;
  lease.priority = want.priority;
  lease.uid = request->uid;
  lease.surface = request->surface;
  lease.exclusive = request->exclusive;
  lease.created = at.wall;
  lease.changed = at.wall;
  lease.lifetime = request->lifetime.value_or(std::chrono::nanoseconds(0));
  lease.deadline = later(at.now, request->wait.value_or(settings_.allocation_timeout));
  if (!request->metadata.empty()) lease.metadata = std::make_shared<const Metadata>(request->metadata);
  note_deadline(lease.deadline);
  const LeaseId id = insert(std::move(lease)).id;
  queue_.add(queue_.rank(id, want.priority, at.now), {id, request});
  return {.id = id, .count = request->devices, .state = LeaseState::waiting};
}

std::optional<tl::expected<Booking, Refusal>> Ledger::repeat(const LeaseRequest& request) const {
  if (request.request_id.empty()) return std::nullopt;
  const auto known = requests_.find(request_key(request.service, request.uid, request.request_id));
  if (known == requests_.end()) return std::nullopt;
  const Lease* lease = find(known->second);
  if (!lease) lease = find_ended(known->second);
  if (!lease) return std::nullopt;
  const bool waited_in_vain = lease->state == LeaseState::ended && lease->fencing_token == 0;
  if (waited_in_vain) return std::nullopt;  // nothing was given: who was cut off while it waited may ask again
  // A resize since then changed the bytes; then its generation says so, and they are no sign of another request.
  const bool same_size =
      lease->generation > 1 || (lease->min == request.min && lease->max == request.max.value_or(request.min));
  if (!same_size || lease->name != request.name || lease->exclusive != request.exclusive ||
      lease->group_size != request.devices) {
    return tl::make_unexpected(
        refuse(RefusalCause::misused_id, Errc::already_exists,
               fmt::format("the request id '{}' belongs to another request of service {}, which "
                           "got lease {}; give each request its own",
                           harmless(request.request_id), harmless(request.service), number(lease->id))));
  }
  return Booking{.id = lease->id, .count = lease->group_size, .state = lease->state, .repeated = true};
}

tl::expected<Booking, Refusal> Ledger::reserve(const LeaseRequest& request, Moment at) {
  if (auto good = check(request); !good) {
    return tl::make_unexpected(refuse(RefusalCause::invalid, good.error().code, good.error().message));
  }
  if (auto before = repeat(request)) return std::move(*before);
  if (closed_) return tl::make_unexpected(refuse(RefusalCause::closed, closed_->code, closed_->message));
  const Want want = want_of(request);
  if (auto good = check_quota(want); !good) {
    return tl::make_unexpected(refuse(RefusalCause::quota, good.error().code, good.error().message));
  }
  if (!request.device.empty() && want.preferred_slot >= devices_.size())
    return tl::make_unexpected(refuse_for_room(want, {}, at));
  const auto claimed = claimed_before(queue_.rank(LeaseId{numbers_.last_id + 1}, want.priority, at.now));
  const auto quota_room = check_quota_room(want);
  if (quota_room) {
    const Slots slots = place(want, claimed);
    if (!slots.empty()) {
      std::string note = fallback_note(want, slots, claimed, at);
      Booking booking = grant(want, slots, take_ids(request.devices), at);
      booking.note = std::move(note);
      return booking;
    }
  }
  Refusal refusal = quota_room ? refuse_for_room(want, claimed, at)
                               : refuse(RefusalCause::quota, quota_room.error().code, quota_room.error().message);
  refusal.may_come = refusal.cause == RefusalCause::no_room || !quota_room;
  if (!request.wait || !refusal.may_come) return tl::make_unexpected(std::move(refusal));
  if (queue_.size() >= settings_.queue) {
    refusal.cause = RefusalCause::queue_full;
    refusal.error = {Errc::resource_exhausted, fmt::format("{} requests wait already, and no more may", queue_.size())};
    return tl::make_unexpected(std::move(refusal));
  }
  return enqueue(want, at);
}

// Grants to those who wait what they can have, in their order; what one of them waits for is kept from all after it.
void Ledger::serve(Moment at) {
  if (queue_.empty() || closed_) return;
  std::vector<LeaseId> claimed(devices_.size());
  for (auto next = queue_.entries().begin(); next != queue_.entries().end();) {
    if (std::ranges::find(claimed, LeaseId{}) == claimed.end()) return;
    const WaitQueue::Entry entry = next->second;
    ++next;
    const Want want = want_of(*entry.request);
    if (!check_quota_room(want)) continue;
    const Slots slots = place(want, claimed);
    if (slots.empty()) {
      for (std::size_t slot = 0; slot < devices_.size(); ++slot) {
        if (claimed[slot] == LeaseId{} && may_wait_for(want, slot)) claimed[slot] = entry.id;
      }
      continue;
    }
    std::string note = fallback_note(want, slots, claimed, at);
    const Lease waited = leases_.at(entry.id);
    remember(entry.id, &waited);
    queue_.take(entry.id);
    erase(entry.id);
    grant(want, slots, entry.id, at);
    events_.push_back({LedgerEvent::Kind::granted, entry.id, std::move(note)});
  }
}

// Changing terms.

// Why a lease that is held cannot have these terms; nothing when it can.
std::optional<Refusal> Ledger::refuse_more(const Lease& lease, Bytes min, Bytes max, Moment at) const {
  if (closed_) return refuse(RefusalCause::closed, closed_->code, closed_->message);
  LeaseRequest request;
  request.service = lease.service.text();
  request.min = min;
  request.max = max;
  request.device = lease.device.text();
  request.require_device = true;
  request.surface = lease.surface;
  request.priority = lease.priority;
  if (auto good = check(request); !good) return refuse(RefusalCause::invalid, good.error().code, good.error().message);
  const Want whole = want_of(request);
  if (auto good = check_quota(whole); !good)
    return refuse(RefusalCause::quota, good.error().code, good.error().message);

  // Looked at as a request for what is more than it costs now.
  Lease after = lease;
  after.min = min;
  after.state = LeaseState::active;
  const bool counted = lease.state != LeaseState::suspended;
  Want more = whole;
  more.min = remaining(charge_of(after), charge_of(lease));
  more.max = counted ? remaining(max, lease.max) : max;
  more.has_it_alone = lease.exclusive;
  more.booked = remaining(min, lease.min);
  if (auto good = check_quota_room(more, more.booked, 0); !good) {
    return refuse(RefusalCause::quota, good.error().code, good.error().message);
  }
  const auto claimed = claimed_before(queue_.rank(LeaseId{numbers_.last_id + 1}, lease.priority, at.now));
  if (place(more, claimed).empty()) return refuse_for_room(more, claimed, at);
  return std::nullopt;
}

tl::expected<Booking, Refusal> Ledger::resize(LeaseId id, std::optional<std::uint32_t> generation, Bytes min,
                                              std::optional<Bytes> max, Moment at) {
  const auto found = leases_.find(id);
  if (found == leases_.end() || !is_held(found->second.state)) {
    return tl::make_unexpected(
        refuse(RefusalCause::invalid, Errc::not_found, fmt::format("nobody holds lease {}", number(id))));
  }
  Lease& lease = found->second;
  if (generation && *generation != lease.generation) {
    const Error stale = stale_generation(lease, *generation);
    return tl::make_unexpected(refuse(RefusalCause::invalid, stale.code, stale.message));
  }
  const Bytes most = max.value_or(std::max(min, lease.max == lease.min ? min : lease.max));
  const bool less = min <= lease.min && most <= lease.max && most >= min && most > Bytes(0);
  if (!less) {
    if (auto refusal = refuse_more(lease, min, most, at)) return tl::make_unexpected(std::move(*refusal));
  } else if (!writable_) {
    return tl::make_unexpected(refuse(RefusalCause::closed, closed_->code, closed_->message));
  }
  change(lease, [&](Lease& l) {
    l.min = min;
    l.max = most;
    ++l.generation;
  });
  const Booking booking{.id = id, .state = lease.state};
  if (less) serve(at);
  return booking;
}

Result<void> Ledger::suspend(LeaseId id, Moment at) {
  const auto found = leases_.find(id);
  if (found == leases_.end() || !is_held(found->second.state)) {
    return fail(Errc::not_found, fmt::format("nobody holds lease {}", number(id)));
  }
  Lease& lease = found->second;
  if (lease.state == LeaseState::suspended) return {};
  if (!writable_) return tl::make_unexpected(*closed_);
  change(lease, [&](Lease& l) {
    l.state = LeaseState::suspended;
    l.changed = at.wall;
    ++l.generation;
  });
  serve(at);
  return {};
}

tl::expected<Booking, Refusal> Ledger::resume(LeaseId id, Moment at) {
  const auto found = leases_.find(id);
  if (found == leases_.end() || found->second.state != LeaseState::suspended) {
    return tl::make_unexpected(
        refuse(RefusalCause::invalid, Errc::not_found, fmt::format("lease {} is not suspended", number(id))));
  }
  Lease& lease = found->second;
  if (auto refusal = refuse_more(lease, lease.min, lease.max, at)) return tl::make_unexpected(std::move(*refusal));
  change(lease, [&](Lease& l) {
    l.state = LeaseState::starting;
    l.changed = at.wall;
    l.fencing_token = ++numbers_.last_token;
    ++l.generation;
  });
  return Booking{.id = id, .state = LeaseState::starting};
}

Result<MonotonicTime> Ledger::heartbeat(LeaseId id, Moment at) {
  const auto found = leases_.find(id);
  if (found == leases_.end() || !is_held(found->second.state)) {
    return fail(Errc::not_found, fmt::format("nobody holds lease {}", number(id)));
  }
  Lease& lease = found->second;
  if (!std::holds_alternative<HeartbeatOwner>(lease.owner)) {
    return fail(Errc::not_found, fmt::format("lease {} lives without heartbeats", number(id)));
  }
  for (std::uint32_t i = 0; i < lease.group_size; ++i) {
    const auto member = leases_.find(LeaseId{number(lease.group) + i});
    if (member == leases_.end() || !is_held(member->second.state)) continue;
    member->second.deadline = deadline_of(member->second, at);  // later than before: next_deadline_ is early at worst
  }
  return lease.deadline;
}

}  // namespace gpukeeper
