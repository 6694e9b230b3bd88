// Why a request gets nothing. Only refusals come here, so it may take its time.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ledger/ledger.hpp"
#include "ledger/ledger_parts.hpp"

namespace gpukeeper {
namespace {

// Bars that no waiting removes.
bool is_lasting(Bar bar) {
  return bar == Bar::not_required || bar == Bar::not_allowed || bar == Bar::never;
}

std::string on_devices(std::uint32_t devices) {
  return devices == 1 ? "" : fmt::format(" on {} GPUs at once", devices);
}

}  // namespace

Refusal Ledger::refuse(RefusalCause cause, Errc code, std::string message) const {
  return {.cause = cause, .error = {code, std::move(message)}, .devices = {}};
}

DeviceRefusal Ledger::explain(const Want& want, std::size_t slot, LeaseId claimed_by, Moment at) const {
  const DeviceAccount& account = devices_[slot];
  DeviceRefusal r;
  r.device = account.id().text();
  r.index = account.facts().index;
  r.bar = bar(want, slot);
  if (r.bar == Bar::none && claimed_by != LeaseId{}) {
    r.bar = Bar::reserved;
    r.behind = claimed_by;
  }
  r.capacity = account.capacity().value_or(Bytes(0));
  r.available = account.available().value_or(Bytes(0));
  if (r.bar == Bar::unavailable) r.detail = account.facts().unavailable_because;
  if (r.bar == Bar::closed) r.detail = account.facts().closed_because;
  if (r.bar == Bar::unknown) {
    const auto why = account.capacity() ? account.available() : account.capacity();
    r.detail = fmt::format("{} ({})", account.capacity() ? "its used memory" : "its size",
                           describe(why ? Missing::failed : why.error()));
  }
  if (r.bar == Bar::documented) {
    r.available = account.documented_available().value_or(Bytes(0));
    r.short_by = remaining(want.booked, r.available);
  } else if (r.bar == Bar::burst) {
    r.short_by = remaining(want.max, account.burst_room().value_or(Bytes(0)));
  } else {
    r.short_by = remaining(want.min, r.available);
  }
  if (is_lasting(r.bar) || r.bar == Bar::unavailable || r.bar == Bar::closed || r.bar == Bar::none) return r;

  std::vector<const Lease*> theirs;
  for (const auto& [id, lease] : leases_) {
    if (lease.device == account.id() && holds_memory(lease.state)) theirs.push_back(&lease);
  }
  std::ranges::sort(theirs, [](const Lease* a, const Lease* b) {
    const Bytes x = charge_of(*a), y = charge_of(*b);
    return x != y ? x > y : a->id < b->id;
  });
  for (const Lease* lease : theirs) {
    if (lease->state == LeaseState::draining) {
      r.draining = r.draining + charge_of(*lease);
    } else {
      r.reclaimable = r.reclaimable + remaining(lease->observed.value_or(Bytes(0)), lease->min);
    }
    if (r.leases.size() == DeviceRefusal::kMostInTheWay) {
      ++r.more_leases;
      continue;
    }
    InTheWay& in_the_way = r.leases.emplace_back();
    in_the_way.id = lease->id;
    in_the_way.service = lease->service.text();
    in_the_way.owner = lease->owner;
    in_the_way.state = lease->state;
    in_the_way.charge = charge_of(*lease);
    if (lease->deadline != MonotonicTime::max()) {
      in_the_way.ends_in = std::max(lease->deadline - at.now, std::chrono::nanoseconds(0));
    }
  }
  r.unmanaged = account.unmanaged().value_or(Bytes(0));
  const auto& foreign = account.facts().foreign;
  r.foreign.assign(foreign.begin(), foreign.begin() + static_cast<std::ptrdiff_t>(
                                                          std::min(foreign.size(), DeviceRefusal::kMostInTheWay)));
  return r;
}

Refusal Ledger::refuse_for_room(const Want& want, const std::vector<LeaseId>& claimed, Moment at) const {
  const LeaseRequest& request = *want.request;
  const std::string who =
      fmt::format("{} asks for {}{}", harmless(request.service), mib(want.min), on_devices(request.devices));
  if (devices_.empty()) return refuse(RefusalCause::no_device, Errc::not_found, who + ", but there is no GPU");
  if (!request.device.empty() && !device(request.device)) {
    std::vector<std::string> known;
    for (const DeviceAccount& d : devices_) known.push_back(d.id().text());
    return refuse(RefusalCause::no_device, Errc::not_found,
                  fmt::format("{} on {}, but there is no such GPU; there are {}", who, harmless(request.device),
                              fmt::join(known, ", ")));
  }
  Refusal refusal;
  std::uint32_t possible = 0;
  std::uint32_t allowed = 0;
  for (std::size_t slot = 0; slot < devices_.size(); ++slot) {
    DeviceRefusal one = explain(want, slot, claimed.empty() ? LeaseId{} : claimed[slot], at);
    if (one.bar != Bar::not_required && one.bar != Bar::not_allowed) ++allowed;
    if (!is_lasting(one.bar)) ++possible;
    if (one.bar != Bar::not_required) refusal.devices.push_back(std::move(one));
  }
  std::ranges::sort(refusal.devices, {}, &DeviceRefusal::index);
  if (allowed < request.devices) {
    refusal.cause = RefusalCause::no_device;
    refusal.error = {Errc::not_permitted, fmt::format("{}, but {}", who,
                                                      allowed == 0 ? std::string("there is no GPU that it may use")
                                                                   : fmt::format("it may use only {}", allowed))};
  } else if (possible < request.devices) {
    refusal.cause = RefusalCause::never;
    refusal.error = {Errc::resource_exhausted,
                     fmt::format("{}, and {} could ever give that", who,
                                 possible == 0 ? std::string("no GPU") : fmt::format("only {}", possible))};
  } else {
    refusal.cause = RefusalCause::no_room;
    refusal.error = {
        Errc::resource_exhausted,
        fmt::format("{}, and {} room for it now", who, request.devices == 1 ? "no GPU has" : "not enough GPUs have")};
  }
  return refusal;
}

// Why it is not where the request, or its service's quota, would rather have it.
std::string Ledger::fallback_note(const Want& want, const Slots& slots, const std::vector<LeaseId>& claimed,
                                  Moment at) const {
  if (want.preferred.empty()) return {};
  for (const std::size_t slot : slots) {
    if (devices_[slot].id() == want.preferred) return {};
  }
  const std::uint32_t index = devices_[slots.front()].facts().index;
  for (std::size_t slot = 0; slot < devices_.size(); ++slot) {
    if (devices_[slot].id() != want.preferred) continue;
    Refusal why;
    why.devices.push_back(explain(want, slot, claimed.empty() ? LeaseId{} : claimed[slot], at));
    return fmt::format("GPU {} was taken instead of the preferred one: {}", index, why.sentences().back());
  }
  return fmt::format("GPU {} was taken: there is no GPU {}, which is preferred", index, harmless(want.preferred));
}

}  // namespace gpukeeper
