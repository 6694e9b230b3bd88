#include "actuators/actuation.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/glob.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kFirstRetry = 1s;
constexpr std::chrono::nanoseconds kLongestRetry = 10min;
constexpr std::chrono::nanoseconds kLongestUrgentRetry = 10s;

bool is_meant(const DeviceSnapshot& device, const ActuatorSettings& settings) {
  if (settings.devices.empty()) return true;
  return std::ranges::any_of(settings.devices, [&](const std::string& pattern) {
    return fits_ignoring_case(pattern, device.device->id.text) || fits_ignoring_case(pattern, device.device->name);
  });
}

bool allows(const ActuatorSettings& settings, ActuatorKind kind) {
  switch (kind) {
    case ActuatorKind::power_limit: return settings.power_limit;
    case ActuatorKind::locked_clocks: return settings.locked_clocks;
    case ActuatorKind::fan: return settings.fan;
    case ActuatorKind::freeze: return settings.freeze;
  }
  return false;
}

// The one who was asked said no, and did nothing.
bool is_refusal(Errc code) {
  return code == Errc::not_permitted || code == Errc::not_supported || code == Errc::invalid_argument;
}

// After a set that failed, or before one that never came to be, the one before it stands there still.
bool is_ours(const Actuator& actuator, const std::string& now, const HeldChange& held) {
  return actuator.is_ours(now, held.set) || (!held.before.empty() && actuator.is_ours(now, held.before));
}

}  // namespace

Actuation::Actuation(std::shared_ptr<ActuatorFactory> factory, ChangeJournal journal,
                     std::shared_ptr<const Clock> clock, std::string boot, Log& log)
    : factory_(std::move(factory)),
      journal_(std::move(journal)),
      clock_(std::move(clock)),
      boot_(std::move(boot)),
      log_(log) {}

void Actuation::recover() {
  const auto held = journal_.held();  // a copy: it shrinks meanwhile
  for (const HeldChange& change : held) {
    Entry& entry = entries_[change.name];
    entry.held = change;
    entry.devices = {change.name.device};
    entry.leaving = "left by a process that ended without giving it back";
    if (change.boot != boot_) {
      release(entry);  // the machine was started anew, and with it every device
    } else if (reach(change.name, entry)) {
      give_back(entry, entry.leaving);
    } else if (entry.held) {
      entry.message = "the device is not there, so what was changed cannot be given back yet";
      log_.warning("{}: {}", change.name.to_string(), entry.message);
    }
  }
}

void Actuation::act(const Snapshot& snapshot, const ActuatorSettings& settings, std::chrono::nanoseconds fresh_for) {
  if (settings != std::exchange(settings_, settings)) begin_anew();
  const auto age = clock_->now() - snapshot.monotonic;
  if (age > fresh_for) return give_held_back(fmt::format("the GPUs were last read {} s ago", age / 1s));
  for (auto& [name, entry] : entries_) {
    entry.asking.clear();
    if (!entry.held && entry.spent.empty()) entry.devices.clear();
  }
  Devices devices;
  for (const DeviceSnapshot& device : snapshot.devices) {
    devices[device.device->id] = &device;
    if (device.throttling.requests.empty() || !settings.any()) continue;
    if (device.available && is_meant(device, settings)) make_actuators(device);
  }
  for (auto& [name, entry] : entries_) {
    if (!entry.spent.empty() && is_free(name, entry, devices)) entry.spent.clear();
    if (reach(name, entry)) drive(entry, advice(name, entry, devices));
  }
  std::erase_if(entries_, [](const auto& each) {
    return each.second.asking.empty() && !each.second.held && each.second.spent.empty();
  });
}

// Actuators keep the settings that they were made with; those that freeze have none.
void Actuation::begin_anew() {
  for (auto& [name, entry] : entries_) {
    if (name.kind == ActuatorKind::freeze || !entry.leaving.empty()) continue;
    if (entry.held && reach(name, entry)) give_back(entry, "the configuration has changed");
    if (!entry.held) entry.actuator.reset();
  }
}

// What is frozen is one thing, whichever device it was found on.
Actuation::Entry& Actuation::entry_of(const ActuatorName& name) {
  if (name.kind != ActuatorKind::freeze) return entries_[name];
  const auto found = std::ranges::find_if(
      entries_, [&](const auto& each) { return each.first.kind == name.kind && each.first.place == name.place; });
  return found == entries_.end() ? entries_[name] : found->second;
}

void Actuation::make_actuators(const DeviceSnapshot& device) {
  for (auto& actuator : factory_->actuators(device, settings_)) {
    Entry& entry = entry_of(actuator->name());
    entry.asking.insert(device.device->id);
    entry.devices.insert(device.device->id);
    if (!entry.actuator) entry.actuator = std::move(actuator);
  }
}

// Whether there is an actuator to drive.
bool Actuation::reach(const ActuatorName& name, Entry& entry) {
  if (!entry.actuator && entry.held) entry.actuator = factory_->find(name);
  if (entry.actuator) return true;
  if (entry.held && name.kind == ActuatorKind::freeze) release(entry);  // a group that is gone has nobody left in it
  return false;
}

Advice Actuation::advice(const ActuatorName& name, const Entry& entry, const Devices& devices) const {
  Advice strictest;
  if (!allows(settings_, name.kind)) return strictest;
  for (const DeviceId& id : name.kind == ActuatorKind::freeze ? entry.asking : std::set{name.device}) {
    const auto device = devices.find(id);
    if (device == devices.end() || !device->second->available || !is_meant(*device->second, settings_)) continue;
    const Advice each = advice_for(name.kind, device->second->throttling);
    if (each.multiplier < strictest.multiplier) strictest = each;
  }
  return strictest;
}

// A device that does not answer may be as hot as before.
bool Actuation::is_free(const ActuatorName& name, const Entry& entry, const Devices& devices) const {
  return std::ranges::all_of(entry.devices, [&](const DeviceId& id) {
    const auto device = devices.find(id);
    if (device == devices.end() || !is_meant(*device->second, settings_)) return true;
    return device->second->available && advice_for(name.kind, device->second->throttling).multiplier == 1;
  });
}

void Actuation::drive(Entry& entry, const Advice& advice) {
  const bool freezes = entry.actuator->name().kind == ActuatorKind::freeze;
  const bool standstill = advice.multiplier == 0;
  const auto since = clock_->now() - entry.changed_at;
  if (!entry.leaving.empty()) {
    if (!waits(entry, true)) give_back(entry, entry.leaving);
    return;
  }
  if (freezes && entry.held && since >= settings_.max_pause) {
    entry.spent =
        "it stood still for as long as max_pause allows";  // whoever waits for it elsewhere gives up meanwhile
    return give_back(entry, entry.spent + "; its cause lasts");
  }
  if (!entry.spent.empty()) return;

  std::optional<std::string> wish;
  std::string found;
  if (advice.multiplier < 1) {
    if (entry.held) {
      found = entry.held->found;
    } else {
      if (waits(entry, standstill)) return;
      const auto looked = entry.actuator->look();
      if (!looked) return fail_once(entry, looked.error());
      found = *looked;
    }
    wish = entry.actuator->wish(advice.multiplier, found);
  }
  if (!wish || *wish == found) {
    const bool allowed = allows(settings_, entry.actuator->name().kind);
    if (entry.held && (freezes || since >= settings_.pause_up)) {
      give_back(entry, allowed ? "its cause has gone" : "the configuration does not allow it any more");
    }
    return;
  }
  if (entry.held && entry.held->set == *wish) return look_again(entry);
  const auto pause = advice.multiplier < entry.multiplier ? settings_.pause_down : settings_.pause_up;
  if (entry.held && !standstill && since < pause) return;
  if (!waits(entry, standstill)) change(entry, found, *wish, advice);
}

void Actuation::change(Entry& entry, const std::string& found, const std::string& value, const Advice& advice) {
  const ActuatorName& name = entry.actuator->name();
  if (entry.held) {  // somebody else may have had a hand in it since
    const auto now = entry.actuator->look();
    if (now && !is_ours(*entry.actuator, *now, *entry.held)) return leave(entry, *now);
  }
  HeldChange change{.name = name,
                    .found = found,
                    .set = value,
                    .before = entry.held ? entry.held->set : "",
                    .reason = advice.reason,
                    .boot = boot_,
                    .at = clock_->wall()};
  if (auto written = journal_.will_change(change); !written) return fail_once(entry, written.error());
  entry.held = std::move(change);
  if (auto set = entry.actuator->set(value); !set) {
    if (undone(entry, set.error())) {
      strike_out(entry);
    } else {
      entry.leaving = "it was not set as a whole";
      entry.partly = true;
    }
    return fail_once(entry, set.error());
  }
  entry.multiplier = advice.multiplier;
  entry.changed_at = entry.looked_at = clock_->now();
  entry.effective = entry.actuator->effective().value_or("");
  entry.message.clear();
  entry.failures = 0;
  log_.info("{}: {}, was {}: {}", name.to_string(), entry.actuator->spell(value), entry.actuator->spell(found),
            advice.reason);
}

void Actuation::look_again(Entry& entry) {
  const auto time = clock_->now();
  if (time - entry.looked_at < kLookAgain) return;
  entry.looked_at = time;
  const auto now = entry.actuator->look();
  if (now && !is_ours(*entry.actuator, *now, *entry.held)) return leave(entry, *now);
  entry.effective = entry.actuator->effective().value_or("");
}

// Whether nothing of ours stands there after a change that failed: it may have been made in part, or as a whole.
bool Actuation::undone(Entry& entry, const Error& failure) {
  const auto given = entry.actuator->give_back(entry.held->found);
  if (given || given.error().code == Errc::not_found) return true;
  if (!is_refusal(failure.code)) return false;
  const auto now = entry.actuator->look();
  return now && *now == entry.held->found;
}

void Actuation::give_back(Entry& entry, std::string why) {
  entry.leaving = std::move(why);
  const HeldChange held = *entry.held;
  const auto now = entry.actuator->look();
  if (!now && now.error().code == Errc::not_found) return release(entry);  // gone, and with it what was changed
  if (now && !entry.partly && !is_ours(*entry.actuator, *now, held)) {
    if (*now == held.found) return release(entry);
    return leave(entry, *now);
  }
  const auto given = entry.actuator->give_back(held.found);
  if (!given && given.error().code != Errc::not_found) {
    const std::string message =
        fmt::format("{} cannot be given back: {}", entry.actuator->spell(held.found), given.error().message);
    if (note_failure(entry, message)) log_.error("{}: {}", held.name.to_string(), message);
    return;
  }
  log_.info("{}: {} again: {}", held.name.to_string(), entry.actuator->spell(held.found), entry.leaving);
  release(entry);
}

void Actuation::give_held_back(const std::string& why) {
  for (auto& [name, entry] : entries_) {
    if (!entry.held || !reach(name, entry) || waits(entry, true)) continue;
    give_back(entry, entry.leaving.empty() ? why : entry.leaving);
  }
}

void Actuation::give_all_back() {
  for (auto& [name, entry] : entries_) entry.failures = 0;  // whatever failed before, now or never
  give_held_back("gpukeeper ends");
}

// Two that set one value in turns would never end: it is theirs while this cause lasts.
void Actuation::leave(Entry& entry, const std::string& now) {
  std::string message = fmt::format("it is {}, not {} as we set it: somebody else has changed it, and we leave it",
                                    entry.actuator->spell(now), entry.actuator->spell(entry.held->set));
  log_.warning("{}: {}", entry.held->name.to_string(), message);
  release(entry);
  entry.spent = std::move(message);
}

void Actuation::strike_out(Entry& entry) {
  const ActuatorName name = entry.held->name;
  if (auto written = journal_.given_back(name); !written) {
    log_.warning("{}: {}", name.to_string(), written.error().message);
  }
  entry.held.reset();
  entry.effective.clear();
}

// The next change needs an actuator as the settings then have it.
void Actuation::release(Entry& entry) {
  strike_out(entry);
  entry.actuator.reset();
  entry.multiplier = 1;
  entry.leaving.clear();
  entry.partly = false;
  entry.message.clear();
  entry.failures = 0;
}

// Pauses grow. What is to be given back, and a standstill, is urgent: it is tried again soon.
bool Actuation::waits(const Entry& entry, bool urgent) const {
  if (entry.failures == 0) return false;
  const auto pause =
      std::min(kFirstRetry * (1 << std::min(entry.failures - 1, 10)), urgent ? kLongestUrgentRetry : kLongestRetry);
  return clock_->now() - entry.failed_at < pause;
}

// Whether it is news.
bool Actuation::note_failure(Entry& entry, const std::string& message) {
  ++entry.failures;
  entry.failed_at = clock_->now();
  return std::exchange(entry.message, message) != message;
}

void Actuation::fail_once(Entry& entry, const Error& error) {
  if (note_failure(entry, error.message)) {
    log_.warning("{}: {}; until it works we only advise", entry.actuator->name().to_string(), error.message);
  }
}

std::vector<ActuatorReport> Actuation::reports() const {
  std::vector<ActuatorReport> result;
  for (const auto& [name, entry] : entries_) {
    ActuatorReport report;
    report.name = name;
    report.effective = entry.effective;
    report.message = entry.message.empty() ? entry.spent : entry.message;
    if (entry.held) {
      const auto spelled = [actuator = entry.actuator.get()](const std::string& value) {
        return actuator ? actuator->spell(value) : value;
      };
      report.found = spelled(entry.held->found);
      report.set = spelled(entry.held->set);
      report.reason = entry.held->reason;
      report.since = entry.held->at;
    }
    if (entry.held || !report.message.empty()) result.push_back(std::move(report));
  }
  return result;
}

}  // namespace gpukeeper
