#include "actuators/actuation.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/glob.hpp"

namespace gpukeeper {
namespace {

constexpr auto kFirstRetry = std::chrono::seconds(10);
constexpr auto kLongestRetry = std::chrono::minutes(10);

bool follows(ActuatorKind kind, ThrottleCause cause) {
  switch (cause) {
    case ThrottleCause::thermal: return true;
    case ThrottleCause::power:
    case ThrottleCause::load:
    case ThrottleCause::operator_request:
    case ThrottleCause::foreign_application: return kind != ActuatorKind::fan;
    case ThrottleCause::memory:
    case ThrottleCause::missing_sensor: return false;
  }
  return false;
}

// Only what is known to be hot is frozen, or what a person wants to stand still.
bool may_freeze(ThrottleCause cause) {
  return cause == ThrottleCause::thermal || cause == ThrottleCause::operator_request;
}

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

}  // namespace

Advice advice_for(ActuatorKind kind, const Throttling& throttling) {
  Advice advice;
  for (const ThrottleRequest& request : throttling.requests) {
    if (!follows(kind, request.cause)) continue;
    if (kind == ActuatorKind::freeze && !may_freeze(request.cause)) continue;
    if (request.multiplier < advice.multiplier) advice = {request.multiplier, request.reason};
  }
  return advice;
}

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
    if (change.boot != boot_) {
      release(entry);  // the machine was started anew, and with it every device
      continue;
    }
    entry.actuator = factory_->find(change.name);
    if (!entry.actuator) {
      if (change.name.kind == ActuatorKind::freeze) {
        release(entry);  // a control group that is gone has nobody left in it
      } else {
        entry.message = "the device is not there, so what was changed cannot be given back yet";
        log_.warning("{}: {}", change.name.to_string(), entry.message);
      }
      continue;
    }
    give_back(entry, "left by a process that ended without giving it back");
  }
}

void Actuation::act(const Snapshot& snapshot, const ActuatorSettings& settings) {
  if (settings != settings_) begin_anew();
  settings_ = settings;
  for (auto& [name, entry] : entries_) entry.wanted = false;
  std::map<DeviceId, const DeviceSnapshot*> devices;
  for (const DeviceSnapshot& device : snapshot.devices) {
    if (!device.available || !is_meant(device, settings)) continue;
    devices[device.device->id] = &device;
    if (!device.throttling.requests.empty() && settings.any()) make_actuators(device, settings);
  }
  for (auto& [name, entry] : entries_) {
    if (!entry.actuator && entry.held) entry.actuator = factory_->find(name);
    if (!entry.actuator) continue;
    const auto device = devices.find(name.device);
    const bool governed =
        device != devices.end() && allows(settings, name.kind) && (entry.wanted || name.kind != ActuatorKind::freeze);
    const Advice advice = governed ? advice_for(name.kind, device->second->throttling) : Advice{};
    drive(entry, advice.multiplier, settings, advice.reason);
  }
  std::erase_if(entries_,
                [](const auto& each) { return !each.second.wanted && !each.second.held && !each.second.spent; });
}

// Actuators keep the settings that they were made with.
void Actuation::begin_anew() {
  for (auto& [name, entry] : entries_) {
    if (entry.held && entry.actuator) give_back(entry, "the configuration has changed");
  }
  std::erase_if(entries_, [](const auto& each) { return !each.second.held; });
}

void Actuation::make_actuators(const DeviceSnapshot& device, const ActuatorSettings& settings) {
  for (auto& actuator : factory_->actuators(device, settings)) {
    Entry& entry = entries_[actuator->name()];
    entry.wanted = true;
    if (!entry.actuator) entry.actuator = std::move(actuator);
  }
}

void Actuation::drive(Entry& entry, double multiplier, const ActuatorSettings& settings, const std::string& reason) {
  const auto now = clock_->now();
  if (entry.retry_at && now < *entry.retry_at) return;
  const bool freezes = entry.actuator->name().kind == ActuatorKind::freeze;
  if (multiplier == 1 && std::exchange(entry.spent, false)) entry.message.clear();
  if (freezes && entry.held && now - entry.changed_at >= settings.max_pause) {
    give_back(entry, "it stood still for as long as max_pause allows; its cause lasts");
    if (entry.held) return;
    entry.spent = true;  // not silently again: whoever waits for it elsewhere gives up meanwhile
    entry.message = "it stood still for as long as max_pause allows";
    return;
  }
  if (entry.spent) return;

  std::optional<std::string> wish;
  std::string found;
  if (multiplier < 1) {
    if (entry.held) {
      found = entry.held->found;
    } else {
      const auto looked = entry.actuator->look();
      if (!looked) return fail_once(entry, looked.error());
      found = *looked;
    }
    wish = entry.actuator->wish(multiplier, found);
  }
  if (!wish || *wish == found) {
    if (entry.held && now - entry.changed_at >= (freezes ? std::chrono::nanoseconds(0) : settings.pause_up)) {
      give_back(entry, "its cause has gone");
    }
    return;
  }
  if (entry.held && entry.held->set == *wish) return look_again(entry);
  const auto pause = multiplier < entry.multiplier ? settings.pause_down : settings.pause_up;
  if (entry.held && now - entry.changed_at < pause) return;
  change(entry, found, *wish, multiplier, reason);
}

void Actuation::change(Entry& entry, const std::string& found, const std::string& value, double multiplier,
                       const std::string& reason) {
  const ActuatorName& name = entry.actuator->name();
  if (entry.held) {  // somebody else may have had a hand in it since
    const auto now = entry.actuator->look();
    if (now && !entry.actuator->is_ours(*now, entry.held->set)) return leave(entry, *now);
  }
  HeldChange change{
      .name = name, .found = found, .set = value, .before = {}, .reason = reason, .boot = boot_, .at = clock_->wall()};
  if (auto written = journal_.will_change(change); !written) return fail_once(entry, written.error());
  if (auto set = entry.actuator->set(value); !set) {
    entry.held = change;
    // It may have been set in part; what stood there does no harm.
    static_cast<void>(entry.actuator->give_back(found));
    strike_out(entry);
    return fail_once(entry, set.error());
  }
  entry.held = std::move(change);
  entry.multiplier = multiplier;
  entry.changed_at = entry.looked_at = clock_->now();
  entry.effective = entry.actuator->effective().value_or("");
  entry.message.clear();
  entry.failures = 0;
  entry.retry_at.reset();
  log_.info("{}: {}, was {}: {}", name.to_string(), entry.actuator->spell(value), entry.actuator->spell(found), reason);
}

void Actuation::look_again(Entry& entry) {
  const auto time = clock_->now();
  if (time - entry.looked_at < kLookAgain) return;
  entry.looked_at = time;
  const auto now = entry.actuator->look();
  if (now && !entry.actuator->is_ours(*now, entry.held->set)) return leave(entry, *now);
  entry.effective = entry.actuator->effective().value_or("");
}

void Actuation::give_back(Entry& entry, std::string_view why) {
  const HeldChange held = *entry.held;
  const auto now = entry.actuator->look();
  if (!now && now.error().code == Errc::not_found) return release(entry);  // gone, and with it what was changed
  if (now && !entry.actuator->is_ours(*now, held.set)) return leave(entry, *now);
  const auto given = entry.actuator->give_back(held.found);
  if (!given && given.error().code != Errc::not_found) {
    log_.error("{}: {} cannot be given back: {}", held.name.to_string(), entry.actuator->spell(held.found),
               given.error().message);
    return fail_once(entry, given.error());
  }
  log_.info("{}: {} again: {}", held.name.to_string(), entry.actuator->spell(held.found), why);
  release(entry);
}

// Two that set one value in turns would never end: it is theirs while this cause lasts.
void Actuation::leave(Entry& entry, const std::string& now) {
  const std::string message =
      fmt::format("it is {}, not {} as we set it: somebody else has changed it, and we leave it",
                  entry.actuator->spell(now), entry.actuator->spell(entry.held->set));
  log_.warning("{}: {}", entry.held->name.to_string(), message);
  release(entry);
  entry.spent = true;
  entry.message = message;
}

void Actuation::strike_out(Entry& entry) {
  const ActuatorName name = entry.held->name;
  if (auto written = journal_.given_back(name); !written) {
    log_.warning("{}: {}", name.to_string(), written.error().message);
  }
  entry.held.reset();
}

void Actuation::release(Entry& entry) {
  strike_out(entry);
  entry.multiplier = 1;
  entry.effective.clear();
  entry.message.clear();
  entry.failures = 0;
  entry.retry_at.reset();
}

// Said once, tried again with growing pauses.
void Actuation::fail_once(Entry& entry, const Error& error) {
  const std::string name = entry.actuator->name().to_string();
  if (entry.message != error.message) log_.warning("{}: {}; until it works we only advise", name, error.message);
  entry.message = error.message;
  const auto pause =
      std::min<std::chrono::nanoseconds>(kFirstRetry * (1 << std::min(entry.failures, 10)), kLongestRetry);
  ++entry.failures;
  entry.retry_at = clock_->now() + pause;
}

void Actuation::give_all_back() {
  for (auto& [name, entry] : entries_) {
    if (entry.held && entry.actuator) give_back(entry, "gpukeeper ends");
  }
}

std::vector<ActuatorReport> Actuation::reports() const {
  std::vector<ActuatorReport> result;
  for (const auto& [name, entry] : entries_) {
    ActuatorReport report{.name = name, .effective = entry.effective, .message = entry.message};
    if (entry.held) {
      const auto spelled = [&](const std::string& value) {
        return entry.actuator ? entry.actuator->spell(value) : value;
      };
      report.found = spelled(entry.held->found);
      report.set = spelled(entry.held->set);
      report.reason = entry.held->reason;
      report.since = entry.held->at;
    }
    if (entry.held || !entry.message.empty()) result.push_back(std::move(report));
  }
  return result;
}

}  // namespace gpukeeper
