#include "policy/device_governor.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "policy/governor_words.hpp"

namespace gpukeeper {
namespace {

// Some drivers answer with what is no number; that is no answer.
template <class Unit>
std::optional<Unit> number(const Metric<Unit>& metric) {
  if (!metric || !std::isfinite(metric->value())) return std::nullopt;
  return *metric;
}

std::optional<Percent> power_percent(const Reading& reading) {
  const auto power = number(reading.power);
  const auto limit = number(reading.power_limit);
  if (!power || !limit || limit->value() <= 0) return std::nullopt;
  return Percent(100 * power->value() / limit->value());
}

LadderRules rules_of(const GovernorSettings& settings) {
  return {.up = settings.min_dwell_samples_up,
          .down = settings.min_dwell_samples_down,
          .cooldown = settings.throttle_cooldown,
          .pause = settings.critical_pause};
}

bool is_better(State state) {
  return state == State::optimal || state == State::normal;
}

bool holds_back(State state) {
  return state == State::throttled || state == State::critical;
}

}  // namespace

void DeviceGovernor::govern(DeviceSnapshot& device, const GovernorTick& tick, std::vector<GovernorEvent>& events) {
  learn_thresholds(device, tick);
  if (device.available) device.state = state_of(device.reading, throttling_.thresholds);
  const Presence presence = device.available                                ? Presence::here
                            : device.reading.attention == Attention::asleep ? Presence::asleep
                                                                            : Presence::lost;
  const bool first = !known_ || known_->presence != presence;
  // A device begins optimal, as documented: one that is hot at first sight is told of.
  const Known before = known_.value_or(
      Known{.presence = presence, .state = presence == Presence::here ? State::optimal : State::unavailable});
  if (first) forget();
  if (!known_) throttling_.state_since = tick.wall;
  const bool emergency = presence == Presence::here && in_emergency(device.reading, before.emergency, tick.settings);
  const bool sampled = presence == Presence::here && (tick.sample || first);
  if (sampled) sample(device, tick);
  const auto temperature = number(guarding_temperature(device.reading));
  // The line was crossed just now, be it between two samples; or the state has not followed yet.
  const bool alarm =
      emergency && temperature && (!before.emergency || temperature_.ladder().state() != State::critical);
  if (alarm) temperature_.emergency(*temperature, tick.now);

  known_ = Known{.presence = presence,
                 .state = presence == Presence::here ? governed_state() : State::unavailable,
                 .emergency = emergency,
                 .foreign = foreign_.has_value()};
  if (known_->state != before.state) throttling_.state_since = tick.wall;
  throttling_.state = known_->state;
  if (sampled || first || alarm || tick.requests_version != requests_version_ ||
      (renew_at_ && tick.now >= *renew_at_)) {
    renew(tick, device.device->id);
  }
  device.throttling = throttling_;
  if (device.available) {
    device.reading.speed_multiplier = throttling_.speed_multiplier;
    device.reading.should_throttle = throttling_.should_throttle();
  }
  for (DeviceSnapshot& partition : device.partitions) {
    // It shares the heat and the pace of its device; its own memory shows in its own state.
    if (partition.available) partition.state = state_of(partition.reading, throttling_.thresholds);
    partition.throttling = throttling_;
  }
  tell(before, device, tick, events);
}

void DeviceGovernor::learn_thresholds(const DeviceSnapshot& device, const GovernorTick& tick) {
  const auto told = number(device.reading.temperature_slowdown);
  const auto slowdown = told ? told : slowdown_;  // it does not change, and a device that is away does not tell it
  if (settings_version_ == tick.settings_version && slowdown == slowdown_) return;
  settings_version_ = tick.settings_version;
  slowdown_ = slowdown;
  throttling_.thresholds = thresholds_for(tick.settings, *device.device, slowdown);
}

// Left like a state: hysteresis below the line, so that noise on it is told of once.
bool DeviceGovernor::in_emergency(const Reading& reading, bool before, const GovernorSettings& settings) const {
  const auto temperature = number(guarding_temperature(reading));
  if (!temperature) return before && temperature_.value();
  return *temperature >= throttling_.thresholds.temp_critical ||
         (before && *temperature > throttling_.thresholds.temp_critical - settings.hysteresis_celsius);
}

void DeviceGovernor::sample(const DeviceSnapshot& device, const GovernorTick& tick) {
  const GovernorSettings& settings = tick.settings;
  const LadderRules rules = rules_of(settings);
  const Reading& reading = device.reading;
  sample_temperature(reading, settings, rules, tick.now);
  memory_.sample(number(memory_percent(reading)), throttling_.thresholds, settings.hysteresis_memory_percent,
                 settings.missing_sensor_hold_samples, rules, tick.now);
  load_.sample(number(reading.utilization), settings.load_throttle_percent, settings.load_sustain, rules, tick.now);
  power_.sample(power_percent(reading), settings.power_throttle_percent, settings.power_sustain, rules, tick.now);
  if (!settings.yield.enabled) {
    foreign_.reset();
  } else if (device.processes_reason.empty()) {  // else who is there is not known, and stays as it was
    foreign_ = foreign_application(device, tick.who, settings.yield, tick.is_ours);
  }
}

void DeviceGovernor::sample_temperature(const Reading& reading, const GovernorSettings& settings,
                                        const LadderRules& rules, MonotonicTime now) {
  const auto metric = guarding_temperature(reading);
  const auto temperature = number(metric);
  temperature_.sample(temperature, throttling_.thresholds, settings.hysteresis_celsius,
                      settings.missing_sensor_hold_samples, rules, now);
  if (temperature) {
    told_temperature_ = true;
    silent_.clear();
  } else if (told_temperature_ && !temperature_.value()) {
    silent_ =
        fmt::format("the temperature is not known any more: {}", metric ? "it is no number" : describe(metric.error()));
  }
}

void DeviceGovernor::forget() {
  temperature_.forget();
  memory_.forget();
  load_ = power_ = SustainedAxis();
  told_temperature_ = false;
  silent_.clear();
  foreign_.reset();
}

State DeviceGovernor::governed_state() const {
  std::optional<State> worst;
  for (const Ladder* ladder : {&temperature_.ladder(), &memory_.ladder(), &load_.ladder(), &power_.ladder()}) {
    if (ladder->state()) worst = std::max(worst.value_or(State::optimal), *ladder->state());
  }
  if (!silent_.empty()) worst = std::max(worst.value_or(State::normal), State::normal);
  return worst.value_or(State::unavailable);
}

void DeviceGovernor::renew(const GovernorTick& tick, const DeviceId& id) {
  requests_version_ = tick.requests_version;
  throttling_.requests.clear();
  if (known_->presence == Presence::here) {
    ask_for_borders(tick);
    ask_for_sustained(tick);
    ask_for_operator(tick, id);
    if (foreign_) ask({ThrottleCause::foreign_application, tick.settings.yield.multiplier, *foreign_}, tick);
    if (!silent_.empty()) ask({ThrottleCause::missing_sensor, speed_of(State::normal), silent_}, tick);
  }
  std::ranges::stable_sort(throttling_.requests, {}, &ThrottleRequest::multiplier);
  throttling_.speed_multiplier = throttling_.requests.empty() ? 1 : throttling_.requests.front().multiplier;
  renew_at_.reset();
  for (const ThrottleRequest& request : throttling_.requests) {
    if (request.until) renew_at_ = std::min(renew_at_.value_or(*request.until), *request.until);
  }
  for (std::size_t cause = 0; cause < since_.size(); ++cause) {
    const auto is_this = [&](const ThrottleRequest& r) { return static_cast<std::size_t>(r.cause) == cause; };
    if (std::ranges::none_of(throttling_.requests, is_this)) since_[cause].reset();
  }
}

void DeviceGovernor::ask_for_borders(const GovernorTick& tick) {
  const LadderRules rules = rules_of(tick.settings);
  const auto axis = [&](ThrottleCause cause, const auto& of, const AxisWords& words) {
    const auto speed = of.ladder().speed(rules, tick.now);
    if (speed.multiplier == 1 || !of.value()) return;
    ask({cause,
         speed.multiplier,
         why(words, of.value()->value(), of.missing(), of.ladder(), speed, rules),
         {},
         speed.until},
        tick);
  };
  axis(ThrottleCause::thermal, temperature_, temperature_words(throttling_.thresholds, tick.settings));
  axis(ThrottleCause::memory, memory_, memory_words(throttling_.thresholds, tick.settings));
}

void DeviceGovernor::ask_for_sustained(const GovernorTick& tick) {
  const GovernorSettings& settings = tick.settings;
  const LadderRules rules = rules_of(settings);
  const auto axis = [&](ThrottleCause cause, const SustainedAxis& of, const std::optional<Percent>& border,
                        std::chrono::nanoseconds sustain, std::string_view measure, std::string_view key) {
    const auto speed = of.ladder().speed(rules, tick.now);
    if (speed.multiplier == 1 || !of.value() || !border) return;
    ask({cause,
         speed.multiplier,
         why_sustained(measure, key, of.value()->value(), border->value(), sustain, of.ladder(), speed, rules),
         {},
         speed.until},
        tick);
  };
  axis(ThrottleCause::power, power_, settings.power_throttle_percent, settings.power_sustain, "% of the power limit",
       "power_throttle_percent");
  axis(ThrottleCause::load, load_, settings.load_throttle_percent, settings.load_sustain, "% utilization",
       "load_throttle_percent");
}

void DeviceGovernor::ask_for_operator(const GovernorTick& tick, const DeviceId& id) {
  const OperatorRequest* strictest = nullptr;
  for (const OperatorRequest& request : tick.requests) {
    const bool meant = !request.device || *request.device == id;
    if (meant && (!strictest || request.multiplier < strictest->multiplier)) strictest = &request;
  }
  if (!strictest) return;
  ask({ThrottleCause::operator_request, strictest->multiplier, fmt::format("asked for by {}", strictest->who),
       strictest->since, strictest->until},
      tick);
}

void DeviceGovernor::ask(ThrottleRequest request, const GovernorTick& tick) {
  auto& since = since_[static_cast<std::size_t>(request.cause)];
  if (request.cause == ThrottleCause::operator_request) since = request.since;
  if (!since) since = tick.wall;
  request.since = *since;
  throttling_.requests.push_back(std::move(request));
}

void DeviceGovernor::tell(const Known& before, const DeviceSnapshot& device, const GovernorTick& tick,
                          std::vector<GovernorEvent>& events) const {
  const Known& now = *known_;
  std::shared_ptr<const DeviceSnapshot> copy;  // one for all events of this tick, made only when there is one
  const auto say = [&](GovernorEventKind kind) {
    if (!copy) copy = std::make_shared<const DeviceSnapshot>(device);
    events.push_back({.kind = kind,
                      .old_state = before.state,
                      .new_state = now.state,
                      .device = copy,
                      .at = tick.wall,
                      .monotonic = tick.now,
                      .sequence = tick.sequence});
  };
  const bool changed = now.state != before.state;
  const bool was_lost = before.presence == Presence::lost;
  const bool is_lost = now.presence == Presence::lost;
  if (changed) say(GovernorEventKind::state_change);
  if (is_lost && !was_lost) say(GovernorEventKind::device_lost);
  if (was_lost && !is_lost) say(GovernorEventKind::device_recovered);
  if (changed && now.state == State::critical) say(GovernorEventKind::critical);
  if (now.state == State::throttled && !holds_back(before.state)) say(GovernorEventKind::throttle);
  if (is_better(now.state) && holds_back(before.state)) say(GovernorEventKind::resume);
  const auto temperature = number(guarding_temperature(device.reading));
  const bool hot =
      now.presence == Presence::here && temperature && *temperature >= throttling_.thresholds.temp_throttle;
  if (hot && (changed || (now.emergency && !before.emergency))) say(GovernorEventKind::overheat);
  if (now.foreign && !before.foreign) say(GovernorEventKind::yield);
  if (before.foreign && !now.foreign) say(GovernorEventKind::yield_over);
}

}  // namespace gpukeeper
