#include "account/accountant.hpp"

#include <algorithm>
#include <utility>

namespace gpukeeper::account {
namespace {

using std::chrono::nanoseconds;

// A reading speaks for three paces, so that a late one leaves no hole; at the least for what a busy machine delays.
constexpr int kPaces = 3;
constexpr nanoseconds kAlwaysSpans = std::chrono::seconds(10);
// Before there is a pace: a recording of a reading a minute must be understood at its second.
constexpr nanoseconds kFirstSpan = std::chrono::seconds(150);

// A date that has gone on for so long without a jump is believed, and old slots are given up by it.
constexpr auto kSteady = std::chrono::hours(1);
constexpr auto kJump = std::chrono::minutes(1);

// A counter of a board cannot grow faster: what does has begun anew, or is none.
constexpr double kMostWatts = 20'000;

WallTime begin_of(WallTime at, std::chrono::seconds length) {
  const auto since = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
  return WallTime(since - since % length);
}

std::optional<double> joules_between(const Sight& sight, const Sight* next, double seconds) {
  if (next && sight.joules && next->joules) {
    const double grown = *next->joules - *sight.joules;
    if (grown >= 0 && grown <= kMostWatts * seconds) return grown;
  }
  return sight.watts ? std::optional(*sight.watts * seconds) : std::nullopt;
}

}  // namespace

bool Pace::spans(nanoseconds apart) {
  nanoseconds shortest{0};
  for (const nanoseconds each : latest_) {
    if (each > nanoseconds(0) && (shortest == nanoseconds(0) || each < shortest)) shortest = each;
  }
  const bool spans =
      apart <= kAlwaysSpans || (shortest > nanoseconds(0) ? apart <= kPaces * shortest : apart <= kFirstSpan);
  latest_.at(next_) = apart;
  next_ = (next_ + 1) % latest_.size();
  return spans;
}

std::uint32_t Accountant::place_of(const AccountedDevice& device) {
  const auto [found, added] =
      device_places_.try_emplace(device.id, static_cast<std::uint32_t>(account_.devices.size()));
  if (added) account_.devices.push_back(device);
  return found->second;
}

std::uint32_t Accountant::place_of(const DeviceSnapshot& device) {
  const Device& facts = *device.device;
  const std::uint32_t place = place_of(AccountedDevice{.id = facts.id,
                                                       .index = device.index,
                                                       .name = facts.name,
                                                       .simulated = facts.simulated,
                                                       .recorded = facts.recorded,
                                                       .memory_bytes = {}});
  AccountedDevice& known = account_.devices[place];
  if (known.index != device.index || known.name != facts.name) {
    known.index = device.index;
    known.name = facts.name;
  }
  if (const auto& total = device.reading.memory_total) known.memory_bytes = static_cast<double>(total->value());
  return place;
}

std::uint32_t Accountant::place_of(const Party& party) {
  if (const auto found = party_places_.find(party); found != party_places_.end()) return found->second;
  const bool full = account_.parties.size() >= kMostParties;
  if (full) {
    Party others;
    others.user = "(others)";
    if (party != others) return place_of(others);
  }
  const auto place = static_cast<std::uint32_t>(account_.parties.size());
  account_.parties.push_back(std::make_shared<const Party>(party));
  party_places_.emplace(party, place);
  return place;
}

// What a stretch of time adds to the sums: one sight of a device, which spoke for it.
struct Accountant::Stretch {
  const Sight& sight;
  double seconds;
  std::optional<double> joules;  // drawn in it
  WallTime at;                   // its begin
};

void Accountant::count_energy(const Stretch& stretch, DeviceUse& use) {
  (stretch.joules ? use.joules : use.joules_unknown_seconds) += stretch.joules.value_or(stretch.seconds);
}

// What is no party's: of a moment without a process, all of it; else the memory that none of them was told to hold.
void Accountant::count_nobodys(const Stretch& stretch, DeviceUse& use) {
  const auto& [sight, seconds, joules, at] = stretch;
  const bool held = sight.processes_known && !sight.holdings.empty();
  double bytes = sight.bytes.value_or(0);
  for (const Holding& holding : sight.holdings) bytes -= holding.bytes.value_or(0);
  Usage& whose = sight.processes_known && !held ? use.free : use.unlisted;
  whose.byte_seconds += std::max(bytes, 0.0) * seconds;
  if (held) return;
  whose.gpu_seconds += seconds;
  (sight.busy ? whose.busy_seconds : whose.busy_unknown_seconds) += sight.busy.value_or(1) * seconds;
  (joules ? whose.joules : whose.joules_unknown_seconds) += joules.value_or(seconds);
  if (!sight.bytes) whose.byte_unknown_seconds += seconds;
}

void Accountant::count_sensors(const Stretch& stretch, DeviceUse& use) {
  const auto& [sight, seconds, joules, at] = stretch;
  (sight.busy ? use.busy_seconds : use.busy_unknown_seconds) += sight.busy.value_or(1) * seconds;
  if (!sight.slowed) use.slowed_unknown_seconds += seconds;
  if (sight.slowed.value_or(false)) {
    use.slowed_seconds += seconds;
    if (sight.by_heat) use.slowed_by_heat_seconds += seconds;
    if (sight.by_power && !sight.by_heat) use.slowed_by_power_seconds += seconds;
  }
  if (sight.celsius) {
    use.celsius_seconds += *sight.celsius * seconds;
    use.celsius_known_seconds += seconds;
    raise(use.celsius, Peak{*sight.celsius, at});
  }
  if (sight.bytes) {
    use.byte_seconds += *sight.bytes * seconds;
    use.byte_known_seconds += seconds;
    raise(use.bytes, Peak{*sight.bytes, at});
  }
  if (sight.watts) raise(use.watts, Peak{*sight.watts, at});
}

void Accountant::count_parties(const Stretch& stretch, std::uint32_t place, Slot& slot) {
  const auto& [sight, seconds, joules, at] = stretch;
  DeviceUse& use = slot.devices[place];
  for (const Holding& holding : sight.holdings) {
    const double own = holding.share * seconds;
    Usage more;
    more.gpu_seconds = own;
    (sight.busy ? more.busy_seconds : more.busy_unknown_seconds) = sight.busy.value_or(1) * own;
    (joules ? more.joules : more.joules_unknown_seconds) = joules ? *joules * holding.share : own;
    if (sight.idle && holding.idle) {
      more.idle_seconds = own;
      more.idle_joules = more.joules;
      use.idle_seconds += own;
    }
    (holding.bytes ? more.byte_seconds : more.byte_unknown_seconds) = holding.bytes.value_or(1) * seconds;
    if (holding.idle) {
      more.hoarded_seconds = seconds;
      more.hoarded_byte_seconds = holding.bytes.value_or(0) * seconds;
    }
    slot.parties[{place, place_of(holding.party)}] += more;
  }
}

void Accountant::count(const Stretch& stretch, std::uint32_t place, Slot& slot) {
  const Sight& sight = stretch.sight;
  const double seconds = stretch.seconds;
  DeviceUse& use = slot.devices[place];
  if (sight.kind != Sight::Kind::watched) {
    (sight.kind == Sight::Kind::asleep ? use.asleep_seconds : use.away_seconds) += seconds;
    return;
  }
  use.watched_seconds += seconds;
  count_energy(stretch, use);
  count_sensors(stretch, use);
  count_nobodys(stretch, use);
  if (!sight.processes_known) use.held_unknown_seconds += seconds;
  if (!sight.processes_known || sight.holdings.empty()) return;
  use.held_seconds += seconds;
  if (sight.holdings.size() > 1) slot.division.add(sight.shared_by, seconds);
  count_parties(stretch, place, slot);
}

// The one that is open, one that was there before, or a new one.
Slot& Accountant::slot_at(WallTime at) {
  if (!open_.holds(at)) {
    close_slot();
    auto before = take_slot(at);
    open_ = before ? std::move(*before)
                   : Slot{.begin = begin_of(at, options_.fine),
                          .length = options_.fine,
                          .devices = {},
                          .parties = {},
                          .division = {}};
    if (!before && complete_since_ && open_.begin < *complete_since_) unknown_slots_.insert(open_.begin);
    coarsen();
    forget();
    forget_parties();
  }
  changed_slots_.insert(open_.begin);
  return open_;
}

void Accountant::close_slot() {
  if (!open_.devices.empty()) insert(std::exchange(open_, Slot()));
}

void Accountant::insert(Slot slot) {
  auto& slots = account_.slots;
  const auto place = std::ranges::upper_bound(slots, slot.begin, {}, [](const auto& each) { return each->begin; });
  slots.insert(place, std::make_shared<const Slot>(std::move(slot)));
}

// Of the closed ones, that in which the moment lies. It is closed no more.
std::optional<Slot> Accountant::take_slot(WallTime at) {
  auto& slots = account_.slots;
  const auto after = std::ranges::upper_bound(slots, at, {}, [](const auto& each) { return each->begin; });
  if (after == slots.begin() || !(*std::prev(after))->holds(at)) return std::nullopt;
  Slot taken = **std::prev(after);
  slots.erase(std::prev(after));
  return taken;
}

// Whether date and time have gone on alike since the snapshot before.
void Accountant::note_date(const Snapshot& snapshot) {
  if (!at_) return;
  const nanoseconds apart = snapshot.monotonic - *at_;
  const nanoseconds drift = snapshot.taken_at - account_.until - apart;
  steady_ = std::chrono::abs(drift) > kJump ? nanoseconds(0) : steady_ + apart;
}

bool Accountant::is_steady() const {
  return steady_ >= kSteady;
}

// Whole hours only, so that no slot of ten minutes comes behind the one of its hour.
void Accountant::coarsen() {
  if (options_.coarse <= options_.fine || !is_steady()) return;
  auto& slots = account_.slots;
  const WallTime limit = begin_of(open_.begin - options_.fine_kept, options_.coarse);
  const auto is_fine = [&](const auto& slot) { return slot->length < options_.coarse; };
  auto first = std::ranges::find_if(slots, is_fine);
  while (first != slots.end() && (*first)->begin < limit) {
    auto sum = std::make_shared<Slot>();
    sum->begin = begin_of((*first)->begin, options_.coarse);
    sum->length = options_.coarse;
    auto last = first;
    for (; last != slots.end() && (*last)->begin < sum->end(); ++last) {
      changed_slots_.erase((*last)->begin);
      if (unknown_slots_.erase((*last)->begin) > 0) unknown_slots_.insert(sum->begin);
      *sum += **last;
    }
    changed_slots_.insert(sum->begin);
    *first = std::move(sum);
    first = std::find_if(slots.erase(first + 1, last), slots.end(), is_fine);
  }
}

void Accountant::forget() {
  if (!is_steady()) return;
  auto& slots = account_.slots;
  const WallTime limit = open_.begin - options_.kept;
  const auto keep = std::ranges::find_if(slots, [&](const auto& slot) { return slot->end() > limit; });
  slots.erase(slots.begin(), keep);
  std::erase_if(alerts_, [&](const auto& each) { return each.second.resolved_at.value_or(limit) < limit; });
  if (complete_since_) complete_since_ = std::max(*complete_since_, limit);
}

void Accountant::note_pods(const Sight& sight) {
  for (const auto& [party, name, share, bytes, idle] : sight.holdings) {
    if (name.empty()) continue;
    const auto known = account_.pods.find(party.pod);
    if (known != account_.pods.end() ? known->second == name : account_.pods.size() >= kMostParties) continue;
    account_.pods.insert_or_assign(party.pod, name);
    changed_pods_.insert(party.pod);
  }
}

void Accountant::note_alerts(const Snapshot& snapshot) {
  if (unknown_alerts_) end_unknown_alerts(*snapshot.alerts);
  if (snapshot.alerts == alerts_seen_) return;
  alerts_seen_ = snapshot.alerts;
  for (const Alert& alert : *snapshot.alerts) {
    if (!alert.fired_at) continue;
    const AlertKey key(*alert.fired_at, alert.id);
    const auto [known, added] = alerts_.try_emplace(key, alert);
    if (!added && known->second == alert) continue;
    known->second = alert;
    changed_alerts_.insert(key);
  }
  while (alerts_.size() > kMostAlerts) {
    const auto older = [](const auto& a, const auto& b) {
      return std::pair(!a.second.resolved_at, a.first.first) < std::pair(!b.second.resolved_at, b.first.first);
    };
    alerts_.erase(std::ranges::min_element(alerts_, older));
  }
}

// Of a process before, one that nobody knows any more was over by its end.
void Accountant::end_unknown_alerts(const AlertList& known) {
  for (auto& [key, alert] : alerts_) {
    const auto is_it = [&, id = std::string_view(key.second)](const Alert& each) { return each.id == id; };
    if (alert.resolved_at || std::ranges::any_of(known, is_it)) continue;
    alert.resolved_at = std::max(*unknown_alerts_, key.first);
    changed_alerts_.insert(key);
  }
  unknown_alerts_.reset();
}

void Accountant::add(const Snapshot& snapshot, std::span<const LeasedProcess> leased) {
  std::scoped_lock lock(mutex_);
  if (at_ && snapshot.monotonic <= *at_) return;
  Sights now;
  for (const DeviceSnapshot& device : snapshot.devices) {
    note_pods(now.emplace(place_of(device), look(snapshot, device, leased)).first->second);
  }
  note_alerts(snapshot);
  note_date(snapshot);
  if (!account_.since) account_.since = snapshot.taken_at;
  if (at_ && pace_.spans(snapshot.monotonic - *at_)) {
    const double apart = std::chrono::duration<double>(snapshot.monotonic - *at_).count();
    Slot& slot = slot_at(account_.until);
    for (const auto& [place, sight] : before_) {
      const auto next = now.find(place);
      const auto joules = joules_between(sight, next == now.end() ? nullptr : &next->second, apart);
      count({sight, apart, joules, account_.until}, place, slot);
    }
  }
  account_.until = snapshot.taken_at;
  at_ = snapshot.monotonic;
  before_ = std::move(now);
}

Account Accountant::account() const {
  std::scoped_lock lock(mutex_);
  Account account = account_;
  if (!open_.devices.empty()) account.slots.push_back(std::make_shared<const Slot>(open_));
  if (!open_.devices.empty()) {
    std::ranges::stable_sort(account.slots, {}, [](const auto& slot) { return slot->begin; });
  }
  for (const auto& [key, alert] : alerts_) account.alerts.push_back(alert);
  return account;
}

std::optional<WallTime> Accountant::complete_since() const {
  std::scoped_lock lock(mutex_);
  return complete_since_;
}

std::optional<Account> Accountant::take_changes() {
  std::scoped_lock lock(mutex_);
  if (changed_slots_.empty() && changed_alerts_.empty() && changed_pods_.empty()) return std::nullopt;
  Account changes{.since = account_.since,
                  .until = account_.until,
                  .devices = account_.devices,
                  .parties = account_.parties,
                  .slots = {},
                  .pods = {},
                  .alerts = {}};
  for (const std::string& uid : changed_pods_) {
    if (const auto found = account_.pods.find(uid); found != account_.pods.end()) changes.pods.insert(*found);
  }
  const auto is_ready = [&](WallTime begin) {
    return changed_slots_.contains(begin) && !unknown_slots_.contains(begin);
  };
  for (const auto& slot : account_.slots) {
    if (is_ready(slot->begin)) changes.slots.push_back(slot);
  }
  if (!open_.devices.empty() && is_ready(open_.begin)) {
    changes.slots.push_back(std::make_shared<const Slot>(open_));
  }
  for (const AlertKey& key : changed_alerts_) {
    if (const auto found = alerts_.find(key); found != alerts_.end()) changes.alerts.push_back(found->second);
  }
  changed_slots_ = unknown_slots_;
  changed_alerts_.clear();
  changed_pods_.clear();
  return changes;
}

void Accountant::change_again(const Account& changes) {
  std::scoped_lock lock(mutex_);
  for (const auto& slot : changes.slots) changed_slots_.insert(slot->begin);
  for (const Alert& alert : changes.alerts) changed_alerts_.emplace(*alert.fired_at, alert.id);
  for (const auto& [uid, name] : changes.pods) changed_pods_.insert(uid);
}

void Accountant::change_all() {
  std::scoped_lock lock(mutex_);
  for (const auto& slot : account_.slots) changed_slots_.insert(slot->begin);
  if (!open_.devices.empty()) changed_slots_.insert(open_.begin);
  for (const auto& [key, alert] : alerts_) changed_alerts_.insert(key);
  for (const auto& [uid, name] : account_.pods) changed_pods_.insert(uid);
}

std::optional<WallTime> Accountant::steady_date() const {
  std::scoped_lock lock(mutex_);
  return account_.since && is_steady() ? std::optional(account_.until) : std::nullopt;
}

}  // namespace gpukeeper::account
