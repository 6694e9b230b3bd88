// What the drivers say, joined with what is booked.

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "ledger/ledger.hpp"
#include "ledger/ledger_parts.hpp"

namespace gpukeeper {
namespace {

// A context that is torn down is gone whole; what is left below this is rounding of whoever reports it.
constexpr Bytes kNothing = 1_MiB;

// Who gives a lease back may keep its context (some hundred MiB) and other leases: three quarters of what was seen of
// it must be back, as ollama asks of its runners. What stays is charged as unmanaged.
constexpr std::uint64_t kMayStay = 4;

// Contexts and pools of libraries stand beside what a program asked for; less than this above its most is no overuse.
Bytes tolerance(Bytes max) {
  return std::max(64_MiB, Bytes(max.value() / 50));
}

bool may_be(const ProcessOwner& owner, std::int64_t pid, std::uint64_t start_ticks) {
  return owner.pid == pid && (owner.start_ticks == 0 || start_ticks == 0 || owner.start_ticks == start_ticks);
}

bool has_given_back(const Lease& lease, Bytes observed) {
  if (observed <= kNothing) return true;
  return lease.reason == EndReason::released && observed.value() <= lease.at_end.value() / kMayStay;
}

// Anybody can write any number into his environment.
bool may_name(const ObservedProcess& process, const Lease& lease) {
  return process.uid && (*process.uid == 0 || *process.uid == lease.uid);
}

using Leases = std::vector<const Lease*>;

// The leases on one device that a process can be using: by who owns them, and those that belong to no process.
struct OnDevice {
  std::unordered_multimap<std::int64_t, const Lease*> by_pid;
  std::unordered_multimap<std::string, const Lease*, ServiceHash, ServiceEqual> by_service;

  Leases of(std::int64_t pid, std::uint64_t start_ticks) const {
    Leases found;
    const auto [begin, end] = by_pid.equal_range(pid);
    for (auto entry = begin; entry != end; ++entry) {
      if (may_be(std::get<ProcessOwner>(entry->second->owner), pid, start_ticks)) found.push_back(entry->second);
    }
    return found;
  }
  Leases of(std::string_view service) const {
    Leases found;
    const auto [begin, end] = by_service.equal_range(service);
    for (auto entry = begin; entry != end; ++entry) found.push_back(entry->second);
    return found;
  }
};

// Held ones first, then what drains, then leaks; each by age. What a process holds fills them in this order, so that
// memory that goes away is that of the leases that are over.
void order(Leases& leases) {
  const auto rank = [](const Lease* lease) { return is_held(lease->state) ? 0 : static_cast<int>(lease->state); };
  std::ranges::sort(
      leases, [&](const Lease* a, const Lease* b) { return rank(a) != rank(b) ? rank(a) < rank(b) : a->id < b->id; });
}

// What processes hold that have several leases, shared out among these.
void share(const Leases& leases, Bytes total, std::unordered_map<LeaseId, Metric<Bytes>>& observed) {
  Bytes left = total;
  const auto give = [&](const Lease* lease, Bytes bytes) {
    Metric<Bytes>& sum = observed.try_emplace(lease->id, Bytes(0)).first->second;
    if (sum) sum = *sum + bytes;
    left = remaining(left, bytes);
  };
  for (const Lease* lease : leases) {
    const Bytes may = is_held(lease->state) ? (leases.size() == 1 ? left : lease->max) : lease->at_end;
    give(lease, std::min(may, left));
  }
  if (left > Bytes(0)) give(leases.front(), left);  // more than all of them may: the first one is overused
}

}  // namespace

void Ledger::take_facts(const Reality& reality) {
  std::vector<std::size_t> slots;
  for (const DeviceReality& said : reality.devices) {
    const std::size_t slot = slot_of(said.id);
    slots.push_back(slot);
    DeviceAccount::Facts facts = devices_[slot].facts();
    facts.index = said.index;
    facts.name = said.name;
    facts.available = said.available;
    facts.unavailable_because = said.unavailable_because;
    facts.closed_because = said.closed_because;
    facts.unified = said.unified;
    facts.temperature = said.temperature;
    facts.load = said.load;
    if (said.total || !facts.total) facts.total = said.total;  // it does not change while a device rests
    if (said.reserved || !facts.reserved) facts.reserved = said.reserved;
    // What sleeps uses what it used when it fell asleep. Everything else that is unknown is unknown.
    if (said.used || said.used.error() != Missing::asleep || !facts.used) facts.used = said.used;
    if (said.available) facts.lists_processes = said.processes.has_value();
    if (!facts.lists_processes) facts.foreign.clear();
    devices_[slot].take(std::move(facts));
  }
  for (std::size_t slot = 0; slot < devices_.size(); ++slot) {
    if (std::ranges::find(slots, slot) != slots.end() || !devices_[slot].facts().available) continue;
    DeviceAccount::Facts facts = devices_[slot].facts();
    facts.available = false;
    facts.unavailable_because = "no driver names it any more";
    devices_[slot].take(std::move(facts));
  }
  topology_ = Topology(devices_.size());
  for (std::size_t a = 0; a < slots.size(); ++a) {
    for (std::size_t b = a + 1; b < slots.size(); ++b)
      topology_.set(slots[a], slots[b], reality.topology.between(a, b));
  }
}

// The lease on that device which a process names, or one that was granted with it; null when it may not name it.
const Lease* Ledger::named_by(const ObservedProcess& process, std::string_view device) const {
  const Lease* named = process.lease == LeaseId{} ? nullptr : find(process.lease);
  if (!named || !may_name(process, *named)) return nullptr;
  for (std::uint32_t i = 0; i < named->group_size; ++i) {
    const Lease* lease = find(LeaseId{number(named->group) + i});
    if (lease && lease->device == device) return lease;
  }
  return nullptr;
}

void Ledger::note_processes(const std::vector<const Lease*>& leases, const ProcessOwner& process) {
  for (const Lease* lease : leases) processes_[lease->id].push_back(process);
}

Ledger::Sightings Ledger::attribute(const Reality& reality) {
  Sightings seen;
  std::vector<OnDevice> on_device(devices_.size());
  for (const auto& [id, lease] : leases_) {
    if (lease.state == LeaseState::waiting) continue;
    OnDevice& there = on_device[slot(lease.device)];
    if (const auto* owner = std::get_if<ProcessOwner>(&lease.owner)) {
      there.by_pid.emplace(owner->pid, &lease);
    } else {
      there.by_service.emplace(lease.service.text(), &lease);
    }
  }
  decltype(kin_) kin;
  processes_.clear();
  for (const DeviceReality& said : reality.devices) {
    if (!said.available || !said.processes) continue;
    const std::size_t slot = slot_of(said.id);
    const OnDevice& there = on_device[slot];
    std::vector<ForeignProcess> foreign;
    std::map<const Lease*, std::pair<Leases, Bytes>> totals;  // by the first of those that share
    for (const ObservedProcess& process : *said.processes) {
      const ProcessOwner itself{process.pid, process.start_ticks};
      Leases leases;
      std::optional<ProcessOwner> whose;
      const Lease* named = named_by(process, said.id);
      if (named) {
        leases.push_back(named);
      } else if (process.elsewhere) {
        // only its service may be known
      } else if (leases = there.of(process.pid, process.start_ticks); !leases.empty()) {
        whose = itself;
      } else if (const auto known = kin_.find({slot, itself}); known != kin_.end()) {
        leases = there.of(known->second.pid, known->second.start_ticks);
        whose = known->second;
      }
      const auto& forebears = process.forebears;
      for (auto parent = forebears.begin(); !process.elsewhere && leases.empty() && parent != forebears.end();
           ++parent) {
        leases = there.of(*parent, 0);
        if (!leases.empty()) whose = std::get<ProcessOwner>(leases.front()->owner);
      }
      if (leases.empty() && !process.service.empty()) leases = there.of(process.service);
      if (leases.empty()) {
        foreign.push_back({process.pid, process.name, process.memory, process.compute});
        continue;
      }
      if (!process.elsewhere) note_processes(leases, itself);
      if (whose) kin.emplace(std::pair(slot, itself), *whose);
      if (!process.memory) {
        for (const Lease* lease : leases) seen.observed.insert_or_assign(lease->id, missing(process.memory.error()));
        continue;
      }
      order(leases);
      auto& total = totals.try_emplace(leases.front(), leases, Bytes(0)).first->second.second;
      total = total + *process.memory;
    }
    for (const auto& [first, group] : totals) share(group.first, group.second, seen.observed);
    std::ranges::stable_sort(foreign, [](const ForeignProcess& a, const ForeignProcess& b) {
      return a.memory.value_or(Bytes(0)) > b.memory.value_or(Bytes(0));
    });
    DeviceAccount::Facts facts = devices_[slot].facts();
    facts.foreign = std::move(foreign);
    devices_[slot].take(std::move(facts));
  }
  kin_ = std::move(kin);
  return seen;
}

void Ledger::judge(Lease& lease, Metric<Bytes> observed, Moment at) {
  const LeaseId id = lease.id;
  if (!is_held(lease.state)) {
    if (lease.observed != observed) adjust(lease, [&](Lease& l) { l.observed = observed; });
    if (observed && !has_given_back(lease, *observed)) return;
    finish(lease, lease.reason, at);
    events_.push_back({LedgerEvent::Kind::ended, id, {}});
    return;
  }
  const Bytes seen = observed.value_or(Bytes(0));
  const bool starts = lease.state == LeaseState::starting && seen > Bytes(0);
  const bool overused = observed && seen > lease.max + (lease.overused ? Bytes(0) : tolerance(lease.max));
  if (lease.observed == observed && !starts && overused == lease.overused) return;
  if (starts) remember(id, &lease);
  if (overused != lease.overused) {
    events_.push_back({overused ? LedgerEvent::Kind::overused : LedgerEvent::Kind::overuse_over, id, {}});
  }
  adjust(lease, [&](Lease& l) {
    l.observed = observed;
    l.peak = std::max(l.peak, seen);
    l.overused = overused;
    if (!starts) return;
    l.state = LeaseState::active;
    l.changed = at.wall;
  });
}

void Ledger::observe(const Reality& reality, Moment at) {
  take_facts(reality);
  Sightings seen = attribute(reality);
  std::vector<LeaseId> here;
  for (const auto& [id, lease] : leases_) {
    if (lease.state != LeaseState::waiting && devices_[slot(lease.device)].facts().available) here.push_back(id);
  }
  std::ranges::sort(here);
  for (const LeaseId id : here) {
    Lease& lease = leases_.at(id);
    const auto found = seen.observed.find(id);
    if (found != seen.observed.end()) {
      judge(lease, found->second, at);
    } else if (devices_[slot(lease.device)].sees_processes()) {
      judge(lease, Bytes(0), at);
    } else {
      judge(lease, missing(Missing::not_supported), at);
    }
  }
  serve(at);
}

}  // namespace gpukeeper
