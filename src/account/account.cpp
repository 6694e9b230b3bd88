#include "account/account.hpp"

#include <algorithm>
#include <tuple>

namespace gpukeeper::account {
namespace {

// Where all of `more` stand in `all`, which gets those that it has not.
Places put_into(Account& all, const Account& more) {
  std::map<DeviceId, std::uint32_t> devices;
  std::map<Party, std::uint32_t> parties;
  for (std::uint32_t i = 0; i < all.devices.size(); ++i) devices.emplace(all.devices[i].id, i);
  for (std::uint32_t i = 0; i < all.parties.size(); ++i) parties.emplace(*all.parties[i], i);
  Places places;
  for (const AccountedDevice& device : more.devices) {
    const auto [found, added] = devices.try_emplace(device.id, static_cast<std::uint32_t>(all.devices.size()));
    if (added) all.devices.emplace_back();
    all.devices[found->second] = device;  // as it was when it was last seen
    places.devices.push_back(found->second);
  }
  for (const auto& party : more.parties) {
    const auto [found, added] = parties.try_emplace(*party, static_cast<std::uint32_t>(all.parties.size()));
    if (added) all.parties.push_back(party);
    places.parties.push_back(found->second);
  }
  return places;
}

}  // namespace

Slot& Slot::operator+=(const Slot& more) {
  for (const auto& [place, use] : more.devices) devices[place] += use;
  for (const auto& [places, usage] : more.parties) parties[places] += usage;
  division += more.division;
  return *this;
}

Slot moved(const Slot& slot, const Places& places) {
  Slot result{.begin = slot.begin, .length = slot.length, .devices = {}, .parties = {}, .division = slot.division};
  for (const auto& [device, use] : slot.devices) result.devices[places.devices.at(device)] += use;
  for (const auto& [key, usage] : slot.parties) {
    result.parties[{places.devices.at(key.first), places.parties.at(key.second)}] += usage;
  }
  return result;
}

std::string pod_name(const Account& account, const std::string& uid) {
  const auto found = account.pods.find(uid);
  return found == account.pods.end() ? uid : found->second;
}

std::string service_name(const Account& account, const Party& party) {
  const auto found = account.pods.find(party.pod);
  const bool named = found != account.pods.end() && party.service == service_of_pod(party.pod);
  return named ? "pod " + found->second : party.service;
}

Account joined(Account older, const Account& newer) {
  const Places places = put_into(older, newer);
  for (const auto& slot : newer.slots) older.slots.push_back(std::make_shared<const Slot>(moved(*slot, places)));
  std::ranges::stable_sort(older.slots, {}, [](const auto& slot) { return slot->begin; });
  if (newer.since) {
    older.since = older.since ? std::min(*older.since, *newer.since) : *newer.since;
    older.until = newer.until;
  }
  for (const auto& [uid, name] : newer.pods) older.pods.insert_or_assign(uid, name);
  older.alerts.insert(older.alerts.end(), newer.alerts.begin(), newer.alerts.end());
  const auto key = [](const Alert& alert) { return std::tie(*alert.fired_at, alert.id); };
  std::ranges::stable_sort(older.alerts, {}, key);
  const auto same = [&](const Alert& a, const Alert& b) { return key(a) == key(b); };
  // Of one that both know, the later word counts: it stands behind.
  std::ranges::reverse(older.alerts);
  older.alerts.erase(std::unique(older.alerts.begin(), older.alerts.end(), same), older.alerts.end());
  std::ranges::reverse(older.alerts);
  return older;
}

}  // namespace gpukeeper::account
