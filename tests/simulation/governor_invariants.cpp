#include "governor_invariants.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gpukeeper::simulation {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using Kind = GovernorEventKind;

constexpr nanoseconds kLongestStep = 10s;

double speed_that_goes_with(State state) {
  const std::map<State, double> kSpeeds = {{State::optimal, 1},
                                           {State::normal, 0.8},
                                           {State::throttled, 0.5},
                                           {State::critical, 0},
                                           {State::unavailable, 1}};
  return kSpeeds.at(state);
}

bool is_better(State state) {
  return state == State::optimal || state == State::normal;
}

bool holds_back(State state) {
  return state == State::throttled || state == State::critical;
}

GovernorThresholds thresholds_of(const DeviceSnapshot& device, const GovernorSettings& settings) {
  const auto& slowdown = device.reading.temperature_slowdown;
  return thresholds_for(settings, *device.device, slowdown ? std::optional(*slowdown) : std::nullopt);
}

// Whether a value is absent that the governor goes by; then it holds on to old ones for a while.
bool lacks_values(const DeviceSnapshot& device, const GovernorSettings& settings) {
  const Reading& r = device.reading;
  return !guarding_temperature(r) || !memory_percent(r) || (settings.load_throttle_percent && !r.utilization) ||
         (settings.power_throttle_percent && (!r.power || !r.power_limit));
}

bool is_lost(const DeviceSnapshot& device) {
  return !device.available && device.reading.attention != Attention::asleep;
}

}  // namespace

std::vector<std::string> GovernorInvariants::look(const Snapshot& snapshot, std::span<const GovernorEvent> events,
                                                  const GovernorSettings& settings, bool operator_asks) {
  settings_ = &settings;
  const auto step = snapshot.monotonic - std::exchange(now_, snapshot.monotonic);
  if (step <= kLongestStep) {
    longest_step_ = std::max(longest_step_, step);
  } else {  // the machine slept: what was counted in samples has not gone on
    for (auto& [id, past] : past_) past.cool.reset();
  }
  settings_are_new_ = settings_before_ != settings;
  if (settings_are_new_) {
    for (auto& [id, past] : past_) past.changed = past.last_critical = past.last_throttled = past.cool = std::nullopt;
    settings_before_ = settings;
  }
  std::size_t told = 0;
  for (const DeviceSnapshot& device : snapshot.devices) {
    std::vector<GovernorEvent> own;
    std::ranges::copy_if(events, std::back_inserter(own),
                         [&](const GovernorEvent& event) { return event.device->device->id == device.device->id; });
    told += own.size();
    look_at(device, own, operator_asks);
  }
  if (told != events.size()) wrong_.push_back("an event tells of a device that is not in the snapshot");
  for (const GovernorEvent& event : events) {
    if (event.sequence != snapshot.sequence) wrong_.push_back("an event is of another snapshot");
  }
  return std::exchange(wrong_, {});
}

void GovernorInvariants::look_at(const DeviceSnapshot& device, std::span<const GovernorEvent> events,
                                 bool operator_asks) {
  const auto [place, is_new] = past_.try_emplace(device.device->id);
  Past& past = place->second;
  if (is_new) {
    past.here = device.available;
    past.lost = is_lost(device);
    past.state = device.available ? State::optimal : State::unavailable;
  }
  if (past.here != device.available || lacks_values(device, *settings_)) {
    past.changed = past.last_critical = past.last_throttled = past.cool = std::nullopt;
  }
  if (!guarding_temperature(device.reading)) {
    past.speaks.reset();
  } else if (!past.speaks) {
    past.speaks = now_;
  }
  check_advice(device, past);
  check_emergency(device);
  check_waits(device, past);
  check_pace(device, past);
  check_recovery(device, past, operator_asks);
  check_events(device, past, events);

  const State state = device.throttling.state;
  // A state that new settings bring about says nothing of how long the others have been on their way.
  const bool known = device.available && !lacks_values(device, *settings_) && !settings_are_new_;
  if (state != past.state) {
    ++changes_;
    past.changed = known ? std::optional(now_) : std::nullopt;
  }
  if (known && state == State::critical) past.last_critical = now_;
  if (known && holds_back(state)) past.last_throttled = now_;
  past.state = state;
  past.here = device.available;
  past.lost = is_lost(device);
}

// The multiplier is one of four, and that of the strictest request; no state is without a cause.
void GovernorInvariants::check_advice(const DeviceSnapshot& device, const Past& past) {
  const Throttling& t = device.throttling;
  double strictest = 1;
  for (const ThrottleRequest& request : t.requests) {
    strictest = std::min(strictest, request.multiplier);
    if (request.reason.empty()) say(device, "a request gives no reason");
    if (request.multiplier == 1) say(device, "a request asks for full speed");
    if (request.until && *request.until <= now_) say(device, "a request is over and still held");
  }
  if (t.speed_multiplier != strictest) say(device, "the speed is not that of the strictest request");
  if (!std::ranges::is_sorted(t.requests, {}, &ThrottleRequest::multiplier)) say(device, "the strictest is not first");
  const auto is_speed = [&](double speed) { return speed == t.speed_multiplier; };
  if (std::ranges::none_of(std::initializer_list<double>{1, 0.8, 0.5, 0}, is_speed)) say(device, "no known speed");
  if (t.should_throttle() != (t.speed_multiplier <= 0.5)) say(device, "should_throttle and the speed differ");
  if (!device.available) {
    if (t.state != State::unavailable) say(device, "a device that is away has a state");
    if (t.speed_multiplier != 1) say(device, "a device that is away is held back");
    return;
  }
  const bool caused = std::ranges::any_of(t.requests, [&](const ThrottleRequest& request) {
    return request.cause != ThrottleCause::operator_request && request.cause != ThrottleCause::foreign_application &&
           request.multiplier <= speed_that_goes_with(t.state);
  });
  if (t.state != State::optimal && t.state != State::unavailable && !caused) say(device, "a state without a cause");
  for (const ThrottleRequest& request : t.requests) {
    if (request.cause != ThrottleCause::missing_sensor) continue;
    if (request.multiplier < 0.8) say(device, "a missing sensor costs more than a fifth of the speed");
    // It is heard by the next sample.
    if (past.speaks && now_ - *past.speaks >= settings_->monitor_interval)
      say(device, "a sensor speaks and is not heard");
  }
}

void GovernorInvariants::check_emergency(const DeviceSnapshot& device) {
  const auto temperature = guarding_temperature(device.reading);
  if (!device.available || !temperature) return;
  if (*temperature < thresholds_of(device, *settings_).temp_critical) return;
  if (device.throttling.state != State::critical) say(device, "an emergency is not critical at once");
  if (device.throttling.speed_multiplier != 0) say(device, "an emergency does not pause the work");
}

// Pause and cooldown are counted from leaving, so from when the state was last seen they last no shorter.
void GovernorInvariants::check_waits(const DeviceSnapshot& device, const Past& past) {
  const double speed = device.throttling.speed_multiplier;
  if (past.last_critical && now_ - *past.last_critical < settings_->critical_pause && speed != 0) {
    say(device, "the pause after the critical state is cut short");
  }
  if (past.last_throttled && now_ - *past.last_throttled < settings_->throttle_cooldown && speed > 0.5) {
    say(device, "the cooldown after the throttled state is cut short");
  }
}

// The dwell bound: better by one state at a time, and none is left before enough samples showed it. The first of them
// may be one that fell out of the pace, as of a device that came back.
void GovernorInvariants::check_pace(const DeviceSnapshot& device, const Past& past) {
  const State state = device.throttling.state;
  if (!past.changed || state >= past.state || past.state == State::unavailable) return;
  if (static_cast<int>(past.state) - static_cast<int>(state) > 1)
    say(device, "it got better by several states at once");
  const auto least = (settings_->min_dwell_samples_down - 1) * settings_->monitor_interval;
  if (now_ - *past.changed < least * 9 / 10) say(device, "it got better before its dwell was over");
}

bool GovernorInvariants::is_cool(const DeviceSnapshot& device) const {
  const GovernorSettings& s = *settings_;
  const GovernorThresholds t = thresholds_of(device, s);
  const Reading& r = device.reading;
  if (!device.available || lacks_values(device, s)) return false;
  // Below the border, and no less below it than the hysteresis.
  const auto is_below = [](double value, double border, double hysteresis) {
    return value < border && value <= border - hysteresis;
  };
  if (!is_below(guarding_temperature(r)->value(), t.temp_optimal.value(), s.hysteresis_celsius.value())) return false;
  if (!is_below(memory_percent(r)->value(), t.memory_optimal.value(), s.hysteresis_memory_percent.value()))
    return false;
  if (s.load_throttle_percent && *r.utilization >= *s.load_throttle_percent) return false;
  if (s.power_throttle_percent &&
      100 * r.power->value() / r.power_limit->value() >= s.power_throttle_percent->value()) {
    return false;
  }
  return !s.yield.enabled || device.processes->empty();
}

// Whatever was, a device that has been cool for long enough is optimal and at full speed.
void GovernorInvariants::check_recovery(const DeviceSnapshot& device, Past& past, bool operator_asks) {
  if (!is_cool(device) || operator_asks) {
    past.cool.reset();
    return;
  }
  if (!past.cool) past.cool = now_;
  const GovernorSettings& s = *settings_;
  const auto sample = s.monitor_interval + longest_step_;  // it waits for the tick after it is due
  const auto ladder = 3 * (s.min_dwell_samples_down + 1) * sample;
  const auto longest =
      ladder + s.critical_pause + s.throttle_cooldown + std::max(s.load_sustain, s.power_sustain) + 3 * sample;
  if (now_ - *past.cool <= longest) return;
  if (device.throttling.state != State::optimal) say(device, "cool for long, and not optimal");
  if (device.throttling.speed_multiplier != 1) say(device, "cool for long, and not at full speed");
}

// Exactly what the contract has follow from a transition, in its order.
void GovernorInvariants::check_events(const DeviceSnapshot& device, const Past& past,
                                      std::span<const GovernorEvent> events) {
  const State now = device.throttling.state;
  const bool changed = now != past.state;
  std::vector<Kind> kinds;
  for (const GovernorEvent& event : events) {
    kinds.push_back(event.kind);
    if (event.old_state != past.state || event.new_state != now) say(device, "an event tells other states");
    if (event.device->throttling != device.throttling) say(device, "an event tells another advice");
  }
  std::vector<Kind> expected;
  if (changed) expected.push_back(Kind::state_change);
  if (is_lost(device) != past.lost) expected.push_back(past.lost ? Kind::device_recovered : Kind::device_lost);
  if (changed && now == State::critical) expected.push_back(Kind::critical);
  if (now == State::throttled && !holds_back(past.state)) expected.push_back(Kind::throttle);
  if (is_better(now) && holds_back(past.state)) expected.push_back(Kind::resume);
  const auto temperature = guarding_temperature(device.reading);
  const GovernorThresholds limits = thresholds_of(device, *settings_);
  const bool hot = device.available && temperature && *temperature >= limits.temp_throttle;
  const bool beyond = hot && *temperature >= limits.temp_critical;
  const bool overheats = std::ranges::find(kinds, Kind::overheat) != kinds.end();
  if ((changed && hot) || (beyond && overheats)) expected.push_back(Kind::overheat);
  Past& memory = past_.at(device.device->id);
  for (const Kind kind : kinds) {
    if (kind != Kind::yield && kind != Kind::yield_over) continue;
    if ((kind == Kind::yield) == past.yielding) say(device, "yield and yield_over do not take turns");
    memory.yielding = kind == Kind::yield;
    expected.push_back(kind);
  }
  const auto words = [](const std::vector<Kind>& list) {
    std::vector<std::string_view> names;
    for (const Kind kind : list) names.push_back(to_string(kind));
    return fmt::format("{}", fmt::join(names, ", "));
  };
  if (kinds != expected) {
    say(device, fmt::format("told [{}] where it should tell [{}]", words(kinds), words(expected)));
  }
}

void GovernorInvariants::say(const DeviceSnapshot& device, std::string_view what) {
  const Throttling& t = device.throttling;
  const auto temperature = guarding_temperature(device.reading);
  wrong_.push_back(fmt::format("{}: {} (at {}, state {}, speed {}{}{})", device.device->id.text, what,
                               temperature ? fmt::format("{:.1f} °C", temperature->value()) : "no temperature",
                               to_string(t.state), t.speed_multiplier, t.requests.empty() ? "" : ": ",
                               t.requests.empty() ? "" : t.requests.front().reason));
}

}  // namespace gpukeeper::simulation
