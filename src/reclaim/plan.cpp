// A search for the cheapest set of steps, by branch and bound.
//
// Each lease that is held, each that drains and each foreign process on a wanted device is an item with a few options
// (stay, be waited for, be asked, go to one of the other devices, end). All combinations are walked, cheap options
// first; a branch ends where it costs as much as the best plan so far, or where what is left can no longer bring the
// wanted room. Leases of other devices are items too, as one of them may have to make room for one that comes.
//
// A greedy plan is made first: it bounds the search, and where there is too much to try it is the answer, which says
// so.

#include "reclaim/plan.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "actuators/cgroup_freezer.hpp"
#include "core/display_text.hpp"

namespace gpukeeper::reclaim {
namespace {

using Kind = PlanStep::Kind;

// In bytes, signed: a device may be overbooked. None is above 2^62.
using Signed = std::int64_t;

Signed to_signed(Bytes bytes) {
  return static_cast<Signed>(std::min<std::uint64_t>(bytes.value(), std::uint64_t{1} << 62));
}

// What a device can still take: by its books, by what is really used, and by the sum of all maxima.
struct Room {
  Signed books = 0;
  Signed real = 0;
  Signed burst = 0;
  Signed documented = 0;
};

struct Place {
  const DeviceAccount* account = nullptr;
  Room room;
  std::string closed;  // why it takes nothing new, a phrase after "GPU 0"; empty when it does
  // Of leases there that are no items: they stay.
  bool has_more = false;
  bool exclusive = false;
  std::set<std::string_view> names;
};

// Something that may have to go, with what it takes of its device.
struct Item {
  Kind harm = Kind::end;         // the worst that may be done to it: wait, end or stop
  const Lease* lease = nullptr;  // null for a process
  const ForeignProcess* process = nullptr;
  std::size_t at = 0;     // its device
  Signed charge = 0;      // that its device gets back when it goes
  Signed asked = 0;       // that its device gets back when it keeps what it is guaranteed
  bool may_move = false;  // to a device that may_take() it
};

struct Choice {
  enum class What : std::uint8_t { stay, wait, ask, move, end };
  What what = What::stay;
  std::size_t to = 0;  // of move
};

// What weighs more stands first. Every part only grows from item to item, so a branch is never cheaper than its trunk.
struct Cost {
  std::array<Signed, 8>
      parts{};  // stopped bytes, any ended, their highest priority, ended, moved, asked, waited, steps
  friend auto operator<=>(const Cost&, const Cost&) = default;
};

Cost with(Cost cost, const Item& item, Choice::What what) {
  const auto add = [&](std::size_t part, Signed bytes) { cost.parts[part] += bytes; };
  switch (what) {
    case Choice::What::stay: return cost;
    case Choice::What::wait: add(6, item.charge); break;
    case Choice::What::ask: add(5, item.asked); break;
    case Choice::What::move: add(4, item.charge); break;
    case Choice::What::end:
      if (item.process) {
        add(0, std::max<Signed>(1, item.charge));
      } else {
        const Signed priority = item.lease->priority + kMostPriority + 1;
        cost.parts[1] = 1;
        cost.parts[2] = std::max(cost.parts[2], priority);
        add(3, item.charge);
      }
  }
  add(7, 1);
  return cost;
}

// Nobody is told to stop what draws the screen or what others of the machine need.
bool may_be_stopped(const ForeignProcess& process) {
  const std::string_view name = process.name;
  return process.compute && !must_run(name.substr(name.rfind('/') + 1));
}

class Search {
 public:
  Search(const Ledger& ledger, const PlanRequest& request, const PlanBudget& budget)
      : ledger_(ledger), request_(request), budget_(budget), leases_(ledger.leases()) {
    for (const DeviceAccount& account : ledger.devices()) places_.push_back(place_of(account));
  }

  Plan run() {
    std::vector<std::size_t> usable;
    const bool only_one = request_.devices == 1 && !request_.device.empty();
    // The ledger has them in the order in which it met them: one that a lease was kept for is before the others.
    std::vector<std::size_t> by_index(places_.size());
    std::iota(by_index.begin(), by_index.end(), std::size_t{0});
    std::ranges::stable_sort(by_index, {}, [&](std::size_t at) { return places_[at].account->facts().index; });
    for (const std::size_t at : by_index) {
      if (only_one && !(places_[at].account->id() == request_.device)) continue;
      if (auto why = why_never(at); !why.empty()) {
        reasons_.push_back(std::move(why));
      } else {
        usable.push_back(at);
      }
    }
    // The emptiest first, as not all groups may be tried.
    if (request_.devices > 1) {
      std::ranges::stable_sort(usable, std::greater<>(),
                               [&](std::size_t at) { return std::min(places_[at].room.books, places_[at].room.real); });
    }
    std::vector<std::size_t> group;
    try_groups(usable, 0, group);
    return finish(usable.size());
  }

 private:
  Place place_of(const DeviceAccount& account) const;
  // With thousands of leases a greedy plan takes some 10 ms by itself.
  std::size_t most_groups() const { return leases_.size() > kMany ? budget_.groups / 16 : budget_.groups; }
  std::string why_never(std::size_t at) const;
  void try_groups(const std::vector<std::size_t>& usable, std::size_t next, std::vector<std::size_t>& group);
  void try_group(const std::vector<std::size_t>& group);
  void gather(const std::vector<std::size_t>& group);
  void note_what_stays(std::size_t from);
  void clear_choices();
  void greedy();
  void leave_out_what_is_not_needed(std::vector<std::size_t>& moves);
  void walk(std::size_t next, const Cost& cost);
  void keep(const Cost& cost, const std::vector<std::size_t>& moves);
  bool is_enough() const;
  bool may_still_do(std::size_t next) const;
  void shift(Room& room, const Item& item, Signed sign) const;
  void choose(std::size_t item, Choice choice, Signed sign);
  std::optional<std::vector<std::size_t>> order_of_moves() const;
  bool targets_are_free() const;
  bool takes(std::size_t at, const Item& item, const std::vector<Room>& rooms,
             const std::vector<Choice>& choices) const;
  bool is_allowed(const Item& item, std::size_t at) const;
  std::size_t where(std::size_t item, const std::vector<Choice>& choices) const;
  std::vector<PlanStep> steps_of(const std::vector<std::size_t>& moves) const;
  Plan finish(std::size_t usable);

  static constexpr std::size_t kNowhere = ~std::size_t{0};
  static constexpr std::size_t kMany = 1000;

  const Ledger& ledger_;
  const PlanRequest& request_;
  const PlanBudget& budget_;
  const std::vector<Lease> leases_;
  std::vector<Place> places_;
  std::vector<std::string> reasons_;

  // Of the group that is tried.
  std::vector<std::size_t> targets_;
  std::vector<Item> items_;
  std::vector<std::vector<Signed>> can_free_;  // by item and target: what it and those after it could free
  std::vector<Choice> choices_;
  std::vector<Room> rooms_;
  std::size_t nodes_ = 0;

  std::size_t groups_ = 0;
  bool exact_ = true;
  std::optional<Cost> best_;
  Plan plan_;
};

Place Search::place_of(const DeviceAccount& account) const {
  Place place;
  place.account = &account;
  const auto& facts = account.facts();
  if (!facts.available) {
    place.closed = "is not available: " + facts.unavailable_because;
  } else if (!facts.closed_because.empty()) {
    place.closed = facts.closed_because;
  } else if (!account.capacity() || !facts.total) {
    place.closed = "does not say how much memory it has";
  } else if (!ledger_.settings().bookkeeping_only && !account.unmanaged()) {
    place.closed = "does not say how much memory is in use";
  }
  if (!place.closed.empty()) return place;
  const bool books_only = ledger_.settings().bookkeeping_only;
  const Signed leases = to_signed(books_only ? account.booked() : account.charged() + account.draining());
  place.room.books = to_signed(*account.capacity()) - leases;
  place.room.real = place.room.books;
  if (!books_only) {
    const Bytes whole = remaining(remaining(*facts.total, facts.reserved.value_or(Bytes(0))), account.headroom());
    place.room.real = to_signed(whole) - leases - to_signed(*account.unmanaged());
  }
  place.room.burst = to_signed(account.burst_capacity().value_or(Bytes(0))) - static_cast<Signed>(account.sums().burst);
  place.room.documented =
      to_signed(account.documented_limit().value_or(Bytes(0))) - static_cast<Signed>(account.sums().documented);
  return place;
}

// A sentence; empty where something may help.
std::string Search::why_never(std::size_t at) const {
  const Place& place = places_[at];
  const std::uint32_t index = place.account->facts().index;
  if (!place.closed.empty()) return fmt::format("GPU {} {}", index, harmless(place.closed));
  const Bytes capacity = *place.account->capacity();
  if (request_.min <= capacity) return {};
  return fmt::format("GPU {} can be booked up to {}, empty as well", index, mib(capacity));
}

void Search::try_groups(const std::vector<std::size_t>& usable, std::size_t next, std::vector<std::size_t>& group) {
  if (group.size() == request_.devices) {
    const bool has_it = request_.device.empty() || std::ranges::any_of(group, [&](std::size_t at) {
                          return places_[at].account->id() == request_.device;
                        });
    if (!has_it) return;
    if (++groups_ > most_groups()) {
      exact_ = false;
      return;
    }
    return try_group(group);
  }
  for (std::size_t i = next; i < usable.size() && groups_ <= most_groups(); ++i) {
    group.push_back(usable[i]);
    try_groups(usable, i + 1, group);
    group.pop_back();
  }
}

// The items of a group: what is on its devices, the largest first, then leases of the other devices.
void Search::gather(const std::vector<std::size_t>& group) {
  targets_ = group;
  items_.clear();
  for (Place& place : places_) {
    place.has_more = place.exclusive = false;
    place.names.clear();
  }
  const bool books_only = ledger_.settings().bookkeeping_only;
  const auto is_target = [&](std::size_t at) { return std::ranges::find(group, at) != group.end(); };
  for (std::size_t at = 0; at < places_.size(); ++at) {
    if (!places_[at].closed.empty()) continue;
    for (const Lease& lease : leases_) {
      if (!(lease.device == places_[at].account->id()) || !holds_memory(lease.state)) continue;
      const bool held = is_held(lease.state);
      if (!held && !is_target(at)) {
        places_[at].has_more = true;
        if (!lease.name.empty()) places_[at].names.insert(lease.name);
        continue;
      }
      const Bytes charge = books_only ? lease.min : charge_of(lease);
      Item item;
      item.lease = &lease;
      item.at = at;
      item.harm = held ? Kind::end : Kind::wait;
      item.charge = to_signed(charge);
      item.asked = held && !books_only ? to_signed(remaining(charge, lease.min)) : 0;
      item.may_move = held && lease.group_size == 1 && lease.state != LeaseState::suspended;
      items_.push_back(item);
    }
    if (!is_target(at) || books_only) continue;
    for (const ForeignProcess& process : places_[at].account->facts().foreign) {
      if (!process.memory || *process.memory == Bytes(0) || !may_be_stopped(process)) continue;
      items_.push_back({.harm = Kind::stop,
                        .lease = nullptr,
                        .process = &process,
                        .at = at,
                        .charge = to_signed(*process.memory),
                        .asked = 0,
                        .may_move = false});
    }
  }
  std::ranges::stable_sort(items_, [&](const Item& a, const Item& b) {
    const bool first = is_target(a.at), second = is_target(b.at);
    return first != second ? first : a.charge > b.charge;
  });
}

// Items from `from` on are tried no more: where they are they stay.
void Search::note_what_stays(std::size_t from) {
  for (std::size_t i = from; i < items_.size(); ++i) {
    if (!items_[i].lease) continue;
    Place& place = places_[items_[i].at];
    place.has_more = true;
    place.exclusive = place.exclusive || items_[i].lease->exclusive;
    if (!items_[i].lease->name.empty()) place.names.insert(items_[i].lease->name);
  }
  items_.resize(from);
}

void Search::clear_choices() {
  rooms_.clear();
  for (const Place& place : places_) rooms_.push_back(place.room);
  choices_.assign(items_.size(), {});
  can_free_.assign(items_.size() + 1, std::vector<Signed>(targets_.size(), 0));
  for (std::size_t i = items_.size(); i-- > 0;) {
    can_free_[i] = can_free_[i + 1];
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      if (items_[i].at == targets_[t]) can_free_[i][t] += items_[i].charge;
    }
  }
}

void Search::try_group(const std::vector<std::size_t>& group) {
  gather(group);
  clear_choices();
  if (!may_still_do(0)) return;
  greedy();
  if (items_.size() > budget_.items) {
    exact_ = false;
    note_what_stays(budget_.items);
  }
  clear_choices();
  nodes_ = 0;
  walk(0, {});
}

// Step by step, the harmless first and of each kind the largest, until it is enough; then without what proved needless.
void Search::greedy() {
  std::vector<std::size_t> on_targets;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (std::ranges::find(targets_, items_[i].at) != targets_.end()) on_targets.push_back(i);
  }
  std::vector<std::size_t> moves;
  const auto stays = [&](std::size_t i) { return choices_[i].what == Choice::What::stay; };
  const auto short_there = [&](std::size_t i) {
    const Room& room = rooms_[items_[i].at];
    const bool alone = items_[i].lease && items_[i].lease->exclusive;
    return alone || std::min({room.books, room.real, room.burst}) < to_signed(request_.min);
  };
  for (const std::size_t i : on_targets) {
    if (!is_enough() && items_[i].harm == Kind::wait) choose(i, {Choice::What::wait, 0}, 1);
  }
  for (const std::size_t i : on_targets) {
    if (is_enough() || items_[i].asked == 0 || !short_there(i)) continue;
    choose(i, {Choice::What::ask, 0}, 1);
  }
  for (const std::size_t i : on_targets) {
    if (is_enough()) break;
    if (!items_[i].may_move || !short_there(i)) continue;
    const Choice before = choices_[i];
    if (before.what == Choice::What::ask) choose(i, before, -1);
    for (std::size_t at = 0; at < places_.size() && stays(i); ++at) {
      if (at == items_[i].at || std::ranges::find(targets_, at) != targets_.end() || !is_allowed(items_[i], at))
        continue;
      if (!takes(at, items_[i], rooms_, choices_)) continue;
      choose(i, {Choice::What::move, at}, 1);
      moves.push_back(i);
    }
    if (stays(i) && before.what == Choice::What::ask) choose(i, before, 1);
  }
  std::ranges::stable_sort(
      on_targets, {}, [&](std::size_t i) { return items_[i].lease ? items_[i].lease->priority : kMostPriority + 1; });
  for (const std::size_t i : on_targets) {
    const bool may_end = stays(i) || choices_[i].what == Choice::What::ask;
    if (is_enough() || !may_end || items_[i].harm == Kind::wait || !short_there(i)) continue;
    if (!stays(i)) choose(i, choices_[i], -1);
    choose(i, {Choice::What::end, 0}, 1);
  }
  if (is_enough()) leave_out_what_is_not_needed(moves);
}

// Greedy moves go from wanted devices to others, so each was possible when it was chosen and is so without the others.
void Search::leave_out_what_is_not_needed(std::vector<std::size_t>& moves) {
  Cost cost;
  for (const auto harm : {Choice::What::end, Choice::What::move, Choice::What::ask, Choice::What::wait}) {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (choices_[i].what != harm) continue;
      const Choice choice = choices_[i];
      choose(i, choice, -1);
      if (!is_enough()) choose(i, choice, 1);
    }
  }
  for (std::size_t i = 0; i < items_.size(); ++i) cost = with(cost, items_[i], choices_[i].what);
  std::erase_if(moves, [&](std::size_t i) { return choices_[i].what != Choice::What::move; });
  if (!best_ || cost < *best_) keep(cost, moves);
}

void Search::keep(const Cost& cost, const std::vector<std::size_t>& moves) {
  best_ = cost;
  plan_.devices.clear();
  std::vector<std::size_t> at = targets_;
  std::ranges::sort(at, {}, [&](std::size_t each) { return places_[each].account->facts().index; });
  for (const std::size_t each : at) plan_.devices.push_back(places_[each].account->id().text());
  plan_.steps = steps_of(moves);
}

bool Search::may_still_do(std::size_t next) const {
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    const Room& room = rooms_[targets_[t]];
    if (std::min(room.books, room.real) + can_free_[next][t] < to_signed(request_.min)) return false;
  }
  return true;
}

bool Search::is_enough() const {
  const Signed min = to_signed(request_.min);
  return may_still_do(items_.size()) && targets_are_free() &&
         std::ranges::all_of(targets_, [&](std::size_t target) { return rooms_[target].burst >= min; });
}

// What a lease takes of a device: given back (1) or taken (-1).
void Search::shift(Room& room, const Item& item, Signed sign) const {
  if (!item.process) room.books += sign * item.charge;
  room.real += sign * item.charge;
  if (!item.lease || !is_held(item.lease->state) || item.lease->state == LeaseState::suspended) return;
  room.burst += sign * to_signed(item.lease->max);
  if (item.lease->surface == Surface::documented) room.documented += sign * to_signed(item.lease->min);
}

// Takes a choice (1), or takes it back (-1).
void Search::choose(std::size_t index, Choice choice, Signed sign) {
  const Item& item = items_[index];
  choices_[index] = sign > 0 ? choice : Choice{};
  Room& here = rooms_[item.at];
  switch (choice.what) {
    case Choice::What::stay: return;
    case Choice::What::ask:
      here.books += sign * item.asked;
      here.real += sign * item.asked;
      return;
    case Choice::What::wait:
    case Choice::What::end: return shift(here, item, sign);
    case Choice::What::move: shift(here, item, sign); return shift(rooms_[choice.to], item, -sign);
  }
}

void Search::walk(std::size_t next, const Cost& cost) {
  if (best_ && cost >= *best_) return;
  if (!may_still_do(next)) return;
  if (++nodes_ > budget_.nodes) {
    exact_ = false;
    return;
  }
  // Where what was chosen so far is enough, everything else stays: any more only costs.
  if (is_enough()) {
    if (const auto moves = order_of_moves()) return keep(cost, *moves);
  }
  if (next == items_.size()) return;
  const auto descend = [&](Choice choice) {
    choose(next, choice, 1);
    walk(next + 1, with(cost, items_[next], choice.what));
    choose(next, choice, -1);
  };
  const Item& item = items_[next];
  const bool on_target = std::ranges::find(targets_, item.at) != targets_.end();
  descend({Choice::What::stay, 0});
  if (item.harm == Kind::wait) return descend({Choice::What::wait, 0});
  if (on_target && item.asked > 0) descend({Choice::What::ask, 0});
  if (item.may_move) {
    for (std::size_t at = 0; at < places_.size(); ++at) {
      if (at != item.at && is_allowed(item, at)) descend({Choice::What::move, at});
    }
  }
  if (on_target) descend({Choice::What::end, 0});
}

// What holds for a lease's service wherever it goes, and does not depend on what else moves.
bool Search::is_allowed(const Item& item, std::size_t at) const {
  const Place& place = places_[at];
  if (!place.closed.empty() || item.lease->min > *place.account->capacity()) return false;
  const ServiceAccount* service = ledger_.service(item.lease->service.text());
  if (!service || !service->quota) return true;
  const ServiceQuota& quota = *service->quota;
  const std::string& id = place.account->id().text();
  if (!quota.devices.empty() && std::ranges::find(quota.devices, id) == quota.devices.end()) return false;
  const auto any_on = [&](const std::vector<std::string>& names, std::size_t slot) {
    return std::ranges::any_of(names, [&](const std::string& name) {
      const ServiceAccount* account = ledger_.service(name);
      return account && account->is_on(slot);
    });
  };
  // The ledger's devices have the order of the places.
  if (any_on(quota.apart, at) && !any_on(quota.apart, item.at)) return false;
  return !any_on(quota.near, item.at) || any_on(quota.near, at);
}

// On which device an item is after the choices; nowhere for one that is gone.
std::size_t Search::where(std::size_t index, const std::vector<Choice>& choices) const {
  switch (choices[index].what) {
    case Choice::What::stay:
    case Choice::What::ask: return items_[index].at;
    case Choice::What::move: return choices[index].to;
    case Choice::What::wait:
    case Choice::What::end: return kNowhere;
  }
  return kNowhere;
}

// Whether nobody has one of the wanted devices alone then.
bool Search::targets_are_free() const {
  for (const std::size_t target : targets_) {
    if (places_[target].exclusive) return false;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Lease* lease = items_[i].lease;
      if (lease && lease->exclusive && is_held(lease->state) && where(i, choices_) == target) return false;
    }
  }
  return true;
}

// Whether a device takes a lease as things stand.
bool Search::takes(std::size_t at, const Item& item, const std::vector<Room>& rooms,
                   const std::vector<Choice>& choices) const {
  const Room& room = rooms[at];
  const Lease& lease = *item.lease;
  if (room.books < item.charge || room.real < item.charge || room.burst < to_signed(lease.max)) return false;
  if (lease.surface == Surface::documented && room.documented < to_signed(lease.min)) return false;
  const Place& place = places_[at];
  if (place.exclusive || (!lease.name.empty() && place.names.contains(lease.name))) return false;
  if (lease.exclusive && (place.has_more || place.account->has_foreign_compute())) return false;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Lease* other = items_[i].lease;
    if (!other || other == &lease || where(i, choices) != at) continue;
    if (lease.exclusive || other->exclusive) return false;
    if (!lease.name.empty() && lease.name == other->name) return false;
  }
  return true;
}

// The moves in an order in which each finds its room; nothing when there is none.
std::optional<std::vector<std::size_t>> Search::order_of_moves() const {
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (choices_[i].what == Choice::What::move) left.push_back(i);
  }
  if (left.empty()) return left;
  // As it is once everybody who does not move has gone, and nobody has moved yet.
  std::vector<Choice> choices = choices_;
  std::vector<Room> rooms = rooms_;
  for (const std::size_t i : left) {
    choices[i] = {};
    shift(rooms[items_[i].at], items_[i], -1);
    shift(rooms[choices_[i].to], items_[i], 1);
  }
  std::vector<std::size_t> order;
  while (!left.empty()) {
    const auto next =
        std::ranges::find_if(left, [&](std::size_t i) { return takes(choices_[i].to, items_[i], rooms, choices); });
    if (next == left.end()) return std::nullopt;
    const std::size_t i = *next;
    choices[i] = choices_[i];
    shift(rooms[items_[i].at], items_[i], 1);
    shift(rooms[choices_[i].to], items_[i], -1);
    order.push_back(i);
    left.erase(next);
  }
  return order;
}

std::vector<PlanStep> Search::steps_of(const std::vector<std::size_t>& moves) const {
  std::vector<PlanStep> steps;
  const auto add = [&](std::size_t index, Kind kind) {
    const Item& item = items_[index];
    PlanStep& step = steps.emplace_back();
    step.kind = kind;
    step.from = places_[item.at].account->id().text();
    step.bytes = Bytes(static_cast<std::uint64_t>(kind == Kind::ask ? item.asked : item.charge));
    if (item.lease) {
      step.lease = item.lease->id;
      step.service = item.lease->service.text();
      step.priority = item.lease->priority;
    } else {
      step.pid = item.process->pid;
      step.name = item.process->name;
    }
    if (kind == Kind::move) step.to = places_[choices_[index].to].account->id().text();
  };
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (choices_[i].what == Choice::What::wait) add(i, Kind::wait);
    if (choices_[i].what == Choice::What::ask) add(i, Kind::ask);
    if (choices_[i].what == Choice::What::end) add(i, items_[i].process ? Kind::stop : Kind::end);
  }
  std::ranges::stable_sort(steps, {}, &PlanStep::kind);
  for (const std::size_t index : moves) add(index, Kind::move);
  return steps;
}

Plan Search::finish(std::size_t usable) {
  plan_.exact = exact_;
  if (best_) {
    plan_.verdict = plan_.steps.empty() ? Plan::Verdict::fits : Plan::Verdict::possible;
    return std::move(plan_);
  }
  plan_.reasons = std::move(reasons_);
  if (places_.empty()) plan_.reasons.emplace_back("there is no GPU");
  if (usable > 0 && usable < request_.devices) {
    plan_.reasons.push_back(
        fmt::format("it is wanted on {} GPUs at once, and {} could give it", request_.devices, usable));
  } else if (usable >= request_.devices && !exact_) {
    plan_.reasons.emplace_back("no way was found among those that were tried; there may be one");
  } else if (usable >= request_.devices) {
    const std::string_view where = plan_.reasons.empty() ? "there" : "on every other GPU";
    plan_.reasons.push_back(
        fmt::format("{} memory is in use that belongs to no lease and to no process that the driver lists and that may "
                    "be stopped",
                    where));
  }
  return std::move(plan_);
}

}  // namespace

std::string_view to_string(PlanStep::Kind kind) {
  switch (kind) {
    case Kind::wait: return "wait";
    case Kind::ask: return "ask";
    case Kind::move: return "move";
    case Kind::end: return "end";
    case Kind::stop: return "stop";
  }
  return "?";
}

std::string_view to_string(Plan::Verdict verdict) {
  switch (verdict) {
    case Plan::Verdict::fits: return "fits";
    case Plan::Verdict::possible: return "possible";
    case Plan::Verdict::never: return "never";
  }
  return "?";
}

Bytes Plan::sum(PlanStep::Kind kind) const {
  Bytes total{0};
  for (const PlanStep& step : steps) {
    if (step.kind == kind) total = total + step.bytes;
  }
  return total;
}

Plan plan_for(const Ledger& ledger, const PlanRequest& request, const PlanBudget& budget) {
  return Search(ledger, request, budget).run();
}

}  // namespace gpukeeper::reclaim
