#include "account/accountant.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

// What an accountant takes over from its store, and what it gives up again.
namespace gpukeeper::account {
namespace {

// Rebuilding costs as much as all slots: only for so much room, and not before there are many.
constexpr std::size_t kWorthwhile = Accountant::kMostParties / 64;
constexpr std::size_t kMany = Accountant::kMostParties / 2;

WallTime floored(WallTime at, std::chrono::seconds length) {
  const auto since = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
  const auto rest = since % length;
  return WallTime(rest < std::chrono::seconds(0) ? since - rest - length : since - rest);
}

}  // namespace

// `counted` in the slots that there are now, where there are any.
void Accountant::merge(const Account& kept, const std::vector<std::shared_ptr<const Slot>>& counted) {
  Places places;
  for (const AccountedDevice& device : kept.devices) places.devices.push_back(place_of(device));
  for (const auto& party : kept.parties) places.parties.push_back(place_of(*party));
  for (const auto& slot : kept.slots) insert(moved(*slot, places));
  for (const auto& slot : counted) {
    auto before = take_slot(slot->begin);
    if (before) *before += *slot;
    changed_slots_.insert(before ? before->begin : slot->begin);
    insert(before ? std::move(*before) : *slot);
  }
  account_.pods.insert(kept.pods.begin(), kept.pods.end());
}

void Accountant::restore(const Account& kept, WallTime complete_since) {
  std::scoped_lock lock(mutex_);
  // What was counted since the start, perhaps in slots that were there before.
  auto counted = std::exchange(account_.slots, {});
  if (!open_.devices.empty()) counted.push_back(std::make_shared<const Slot>(std::exchange(open_, Slot())));
  merge(kept, counted);
  for (const Alert& alert : kept.alerts) alerts_.try_emplace(AlertKey(*alert.fired_at, alert.id), alert);
  if (kept.since) {
    unknown_alerts_ = kept.until;
    if (!account_.since) account_.until = kept.until;
    account_.since = account_.since ? std::min(*account_.since, *kept.since) : *kept.since;
  }
  complete_since_ = complete_since;
}

std::optional<Accountant::Unknown> Accountant::unknown() const {
  std::scoped_lock lock(mutex_);
  if (unknown_slots_.empty()) return std::nullopt;
  const WallTime begin = floored(*unknown_slots_.begin(), options_.coarse);
  Unknown stretch{.begin = begin, .end = begin + options_.coarse, .known = {}};
  const auto note = [&](const Slot& slot) {
    if (!unknown_slots_.contains(slot.begin)) stretch.known.emplace_back(slot.begin, slot.end());
  };
  for (const auto& slot : account_.slots) note(*slot);
  if (!open_.devices.empty()) note(open_);
  std::ranges::sort(stretch.known);
  return stretch;
}

// The open slot, too, may have to become a part of one that is longer.
void Accountant::learn(const Unknown& stretch, const Account& kept) {
  std::scoped_lock lock(mutex_);
  close_slot();
  open_ = Slot();
  std::vector<std::shared_ptr<const Slot>> counted;
  const auto first = unknown_slots_.lower_bound(stretch.begin), last = unknown_slots_.lower_bound(stretch.end);
  for (auto begin = first; begin != last; ++begin) {
    if (auto slot = take_slot(*begin)) counted.push_back(std::make_shared<const Slot>(std::move(*slot)));
  }
  unknown_slots_.erase(first, last);
  merge(kept, counted);
}

// Those whose slots are gone make room for others.
void Accountant::forget_parties() {
  auto& parties = account_.parties;
  if (parties.size() < std::min(std::max(kMany, parties_looked_at_ + kWorthwhile), kMostParties - kWorthwhile)) return;
  parties_looked_at_ = parties.size();
  std::vector<bool> used(parties.size());
  const auto mark = [&](const Slot& slot) {
    for (const auto& [places, usage] : slot.parties) used[places.second] = true;
  };
  for (const auto& slot : account_.slots) mark(*slot);
  mark(open_);
  if (static_cast<std::size_t>(std::ranges::count(used, false)) < kWorthwhile) return;
  Places places{.devices = std::vector<std::uint32_t>(account_.devices.size()),
                .parties = std::vector<std::uint32_t>(parties.size())};
  std::iota(places.devices.begin(), places.devices.end(), 0);
  auto all = std::exchange(parties, {});
  party_places_.clear();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (used[i]) places.parties[i] = place_of(*all[i]);
  }
  for (auto& slot : account_.slots) slot = std::make_shared<const Slot>(moved(*slot, places));
  open_ = moved(open_, places);
  parties_looked_at_ = parties.size();
  forget_pods();
}

// One that is there still is told again with the next reading.
void Accountant::forget_pods() {
  std::set<std::string_view> used;
  for (const auto& party : account_.parties) used.insert(party->pod);
  std::erase_if(account_.pods,
                [&](const auto& pod) { return !used.contains(pod.first) && !changed_pods_.contains(pod.first); });
}

}  // namespace gpukeeper::account
