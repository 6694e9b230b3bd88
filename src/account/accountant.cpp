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

Slot& Slot::operator+=(const Slot& more) {
  for (const auto& [place, use] : more.devices) devices[place] += use;
  for (const auto& [places, usage] : more.parties) parties[places] += usage;
  division += more.division;
  return *this;
}

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

std::uint32_t Accountant::place_of(const DeviceSnapshot& device) {
  const Device& facts = *device.device;
  const auto [found, added] = device_places_.try_emplace(facts.id, static_cast<std::uint32_t>(account_.devices.size()));
  if (added) account_.devices.emplace_back();
  AccountedDevice& known = account_.devices[found->second];
  if (added || known.index != device.index) {
    known = {.id = facts.id,
             .index = device.index,
             .name = facts.name,
             .simulated = facts.simulated,
             .recorded = facts.recorded,
             .memory_bytes = known.memory_bytes};
  }
  if (const auto& total = device.reading.memory_total) known.memory_bytes = static_cast<double>(total->value());
  return found->second;
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
  if (!stretch.joules) {
    use.joules_unknown_seconds += stretch.seconds;
    return;
  }
  use.joules += *stretch.joules;
  if (!stretch.sight.processes_known) {
    use.unattributed_joules += *stretch.joules;
  } else if (stretch.sight.holdings.empty()) {
    use.free_joules += *stretch.joules;
  }
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
  if (!sight.processes_known) use.held_unknown_seconds += seconds;
  if (!sight.processes_known || sight.holdings.empty()) return;
  use.held_seconds += seconds;
  if (sight.holdings.size() > 1) slot.division.add(sight.shared_by, seconds);
  count_parties(stretch, place, slot);
}

// The one that is open, or a new one. A date that was set back goes on in the open one: slots stay in order.
Slot& Accountant::slot_at(WallTime at) {
  const WallTime begin = begin_of(at, options_.fine);
  if (open_.length == std::chrono::seconds(0) || begin > open_.begin) {
    close_slot();
    open_ = Slot{.begin = begin, .length = options_.fine, .devices = {}, .parties = {}, .division = {}};
    coarsen();
    forget();
  }
  return open_;
}

void Accountant::close_slot() {
  if (!open_.devices.empty()) account_.slots.push_back(std::make_shared<const Slot>(std::exchange(open_, Slot())));
}

// Whole hours only, so that no slot of ten minutes comes behind the one of its hour.
void Accountant::coarsen() {
  if (options_.coarse <= options_.fine) return;
  auto& slots = account_.slots;
  const WallTime limit = begin_of(open_.begin - options_.fine_kept, options_.coarse);
  auto first = std::ranges::find_if(slots, [&](const auto& slot) { return slot->length < options_.coarse; });
  while (first != slots.end() && (*first)->begin < limit) {
    const WallTime hour = begin_of((*first)->begin, options_.coarse);
    auto sum = std::make_shared<Slot>();
    sum->begin = hour;
    sum->length = options_.coarse;
    auto last = first;
    for (; last != slots.end() && (*last)->begin < hour + options_.coarse; ++last) *sum += **last;
    *first = std::move(sum);
    first = slots.erase(first + 1, last);
  }
}

void Accountant::forget() {
  auto& slots = account_.slots;
  const WallTime limit = open_.begin - options_.kept;
  const auto keep = std::ranges::find_if(slots, [&](const auto& slot) { return slot->begin + slot->length > limit; });
  slots.erase(slots.begin(), keep);
  std::erase_if(alerts_, [&](const auto& each) { return each.second.resolved_at.value_or(limit) < limit; });
}

void Accountant::note_alerts(const Snapshot& snapshot) {
  if (snapshot.alerts == alerts_seen_) return;
  alerts_seen_ = snapshot.alerts;
  for (const Alert& alert : *snapshot.alerts) {
    if (alert.fired_at) alerts_.insert_or_assign(alert.id, alert);
  }
  while (alerts_.size() > kMostAlerts) {
    const auto older = [](const auto& a, const auto& b) {
      return std::pair(!a.second.resolved_at, *a.second.fired_at) <
             std::pair(!b.second.resolved_at, *b.second.fired_at);
    };
    alerts_.erase(std::ranges::min_element(alerts_, older));
  }
}

void Accountant::add(const Snapshot& snapshot, std::span<const LeasedProcess> leased) {
  std::scoped_lock lock(mutex_);
  if (at_ && snapshot.monotonic <= *at_) return;
  Sights now;
  for (const DeviceSnapshot& device : snapshot.devices) {
    now.emplace(place_of(device), look(snapshot, device, leased));
  }
  note_alerts(snapshot);
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
  for (const auto& [id, alert] : alerts_) account.alerts.push_back(alert);
  std::ranges::stable_sort(account.alerts, {}, [](const Alert& alert) { return *alert.fired_at; });
  return account;
}

}  // namespace gpukeeper::account
