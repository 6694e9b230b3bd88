// What holds of the governor whatever the readings are.

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fakes/governed_machine.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

constexpr State kStates[] = {State::optimal, State::normal, State::throttled, State::critical};

auto temperatures() {
  return *rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(300, 1000), [](int tenths) { return tenths / 10.0; }));
}

RC_GTEST_PROP(LadderProperty, GoesUpByOneStateAndStaysBetweenWhatIsShownAndWhatIsHeld, ()) {
  const auto rules = LadderRules{.up = 1, .down = *rc::gen::inRange(1, 5), .cooldown = 0s, .pause = 0s};
  Ladder ladder;
  MonotonicTime now{};
  int better = 0;  // samples in a row that showed a better state
  for (const int index : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 16))) {
    const State shown = kStates[index / 4];
    const State held = std::max(shown, kStates[index % 4]);
    const auto before = ladder.state();
    ladder.observe(shown, held, rules, now += 1s);
    const State after = *ladder.state();
    if (!before) {
      RC_ASSERT(after == shown);
      continue;
    }
    RC_ASSERT(after >= shown);
    RC_ASSERT(after <= std::max(*before, shown));
    better = held < *before ? better + 1 : 0;
    if (after < *before) {
      RC_ASSERT(static_cast<int>(*before) - static_cast<int>(after) == 1);
      RC_ASSERT(better == rules.down);
      better = 0;
    }
  }
}

RC_GTEST_PROP(GovernorProperty, NeverAdvisesMoreThanTheReadingByItselfAllows, ()) {
  GovernedMachine machine;
  for (const double celsius : temperatures()) {
    const Throttling& advice = machine.at(celsius);
    RC_ASSERT(advice.state >= machine.device().state);
    RC_ASSERT(advice.speed_multiplier <= speed_of(machine.device().state));
    RC_ASSERT(advice.should_throttle() == (advice.speed_multiplier <= 0.5));
  }
}

RC_GTEST_PROP(GovernorProperty, NoiseSmallerThanHysteresisIsOneTransitionAtMost, ()) {
  const double middle = *rc::gen::inRange(400, 950) / 10.0;
  GovernedMachine machine;
  machine.at(middle);
  static_cast<void>(machine.events());
  std::size_t changes = 0;
  for (const int noise : *rc::gen::container<std::vector<int>>(200, rc::gen::inRange(-14, 15))) {  // ±1.4 °C
    machine.at(middle + noise / 10.0);
    for (const std::string& event : machine.events()) changes += event.find("state_change") != event.npos;
  }
  RC_ASSERT(changes <= 1u);
}

RC_GTEST_PROP(GovernorProperty, WhateverWasAColdDeviceGetsItsFullSpeedBack, ()) {
  GovernedMachine machine;
  for (const double celsius : temperatures()) machine.at(celsius);
  for (int i = 0; i < 40; ++i) machine.at(40);  // two minutes
  RC_ASSERT(machine.device().throttling.state == State::optimal);
  RC_ASSERT(machine.device().throttling.speed_multiplier == 1);
  RC_ASSERT(machine.device().throttling.requests.empty());
}

RC_GTEST_PROP(GovernorProperty, EventsAreAChainAndThrottleAndResumeTakeTurns, ()) {
  GovernedMachine machine;
  for (const double celsius : temperatures()) machine.at(celsius);
  State state = State::optimal;
  bool slow = false;
  for (const GovernorEvent& event : machine.all_events()) {
    if (event.kind == GovernorEventKind::state_change) {
      RC_ASSERT(event.old_state == state);
      RC_ASSERT(event.new_state != state);
      state = event.new_state;
    }
    const bool slows = event.kind == GovernorEventKind::throttle ||
                       (event.kind == GovernorEventKind::critical && event.old_state < State::throttled);
    if (slows) {
      RC_ASSERT(!slow);
      slow = true;
    }
    if (event.kind == GovernorEventKind::resume) {
      RC_ASSERT(slow);
      slow = false;
    }
  }
  RC_ASSERT(slow == (state == State::throttled || state == State::critical));
}

RC_GTEST_PROP(GovernorSettingsProperty, WhatPassesTheCheckHasBordersThatRise, ()) {
  GovernorSettings settings;
  const auto degrees = [] { return Celsius(*rc::gen::inRange(-20, 200)); };
  settings.thresholds.temp_optimal = degrees();
  settings.thresholds.temp_normal = degrees();
  settings.thresholds.temp_throttle = degrees();
  settings.thresholds.temp_critical = degrees();
  const GovernorThresholds& t = settings.thresholds;
  const bool well = Celsius(0) < t.temp_optimal && t.temp_optimal.value() + 3 <= t.temp_normal.value() &&
                    t.temp_normal.value() + 3 <= t.temp_throttle.value() && t.temp_throttle <= t.temp_critical &&
                    t.temp_critical <= Celsius(150);
  RC_ASSERT(check(settings).empty() == well);
}

}  // namespace
}  // namespace gpukeeper
