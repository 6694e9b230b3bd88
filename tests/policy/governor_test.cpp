#include "policy/governor.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/governed_machine.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string reason(const Throttling& t) {
  return t.requests.empty() ? "" : t.requests.front().reason;
}

// Contract 1.1.3, decision 1: the documented table, six temperatures by six fills, each border from both sides.
TEST(GovernorTest, GridOfTemperatureAndMemoryFollowsTheDocumentedTable) {
  const std::pair<double, State> kTemperatures[] = {{64.9, State::optimal},   {65, State::normal},
                                                    {74.9, State::normal},    {75, State::throttled},
                                                    {84.9, State::throttled}, {85, State::critical}};
  const std::pair<double, State> kFills[] = {{69.9, State::optimal}, {70, State::normal},      {84.9, State::normal},
                                             {85, State::throttled}, {94.9, State::throttled}, {95, State::critical}};
  for (const auto& [celsius, by_temperature] : kTemperatures) {
    for (const auto& [percent, by_memory] : kFills) {
      GovernedMachine machine;
      machine.heat(celsius);
      machine.fill(percent);
      const Throttling& advice = machine.tick();
      const State worse = std::max(by_temperature, by_memory);
      EXPECT_EQ(advice.state, worse) << celsius << " C, " << percent << " %";
      EXPECT_EQ(advice.speed_multiplier, speed_of(worse)) << celsius << " C, " << percent << " %";
      EXPECT_EQ(advice.should_throttle(), worse >= State::throttled);
    }
  }
}

TEST(GovernorTest, EveryStateHasItsSpeedAndSaysWhichNumberDecides) {
  struct Row {
    double celsius, percent;
    double speed;
    std::string_view why;
  };
  const Row kRows[] = {{50, 30, 1, ""},
                       {65, 30, 0.8, "65 °C, at 65 °C (temp_optimal)"},
                       {65.04, 30, 0.8, "65 °C, at 65 °C (temp_optimal)"},
                       {65.06, 30, 0.8, "65.1 °C, above 65 °C (temp_optimal)"},
                       {70.26, 30, 0.8, "70.3 °C, above 65 °C (temp_optimal)"},
                       {84, 30, 0.5, "84 °C, above 75 °C (temp_normal)"},
                       {86, 30, 0, "86 °C, above 85 °C (temp_throttle)"},
                       {93, 30, 0, "93 °C, above 90 °C (temp_critical): an emergency"},
                       {50, 72.5, 0.8, "72.5 % of the memory, above 70 % (memory_optimal)"},
                       {50, 85, 0.5, "85 % of the memory, at 85 % (memory_normal)"},
                       {50, 99, 0, "99 % of the memory, above 95 % (memory_critical)"}};
  for (const Row& row : kRows) {
    GovernedMachine machine;
    machine.heat(row.celsius);
    machine.fill(row.percent);
    EXPECT_EQ(machine.tick().speed_multiplier, row.speed);
    EXPECT_EQ(reason(machine.device().throttling), row.why);
  }
}

TEST(GovernorTest, NoiseOnABorderForAnHourIsOneTransitionAtMost) {
  for (const double border : {65.0, 75.0, 85.0}) {
    for (const double phase : {0.0, 0.5, 1.0}) {
      GovernedMachine machine;
      machine.at(border - 5);
      machine.events();
      int changes = 0;
      for (int i = 0; i < 1200; ++i) {
        machine.at(border + (i % 2 == 0 ? -1 : 1) * phase + (i % 7 == 0 ? 0.3 : 0));
        for (const std::string& event : machine.events()) changes += event.find("state_change") != event.npos;
      }
      EXPECT_LE(changes, 1) << border;
    }
  }
}

TEST(GovernorTest, NoiseOnAMemoryBorderIsOneTransitionAtMost) {
  GovernedMachine machine;
  for (int i = 0; i < 1200; ++i) {
    machine.fill(85 + (i % 2 == 0 ? -0.9 : 0.9));
    machine.tick();
  }
  EXPECT_THAT(machine.events(), SizeIs(3)) << "normal at first, throttled by the second sample, and no more";
}

TEST(GovernorTest, HeatComesAndGoesWithEveryEventOnceAndInOrder) {
  GovernedMachine machine;
  for (const double celsius : {50.0, 70.0, 80.0, 87.0, 92.0, 92.0}) machine.at(celsius);
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a state_change optimal>normal", "GPU-a state_change normal>throttled",
                                            "GPU-a throttle", "GPU-a state_change throttled>critical", "GPU-a critical",
                                            "GPU-a overheat", "GPU-a overheat"))
      << "the second overheat is the emergency line";
  for (int i = 0; i < 6; ++i) machine.at(50);
  EXPECT_THAT(machine.events(),
              ElementsAre("GPU-a state_change critical>throttled", "GPU-a state_change throttled>normal",
                          "GPU-a resume", "GPU-a state_change normal>optimal"));
}

TEST(GovernorTest, ADeviceThatIsHotAtFirstSightIsToldOf) {
  GovernedMachine machine;
  const Throttling& advice = machine.at(92);
  EXPECT_TRUE(advice.should_throttle());
  EXPECT_EQ(advice.speed_multiplier, 0);
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a state_change optimal>critical", "GPU-a critical", "GPU-a overheat"));
}

TEST(GovernorTest, OverheatIsToldWithAnyChangeOfStateWhileItIsHot) {
  GovernedMachine machine;
  machine.heat(86);
  machine.tick();
  machine.events();
  machine.heat(88);
  machine.fill(99);
  machine.tick();
  EXPECT_THAT(machine.events(), IsEmpty()) << "critical already";
}

TEST(GovernorTest, HotAndCoolPairIsOneTransitionAndTheWorstIsTheWhole) {
  GovernedMachine machine(2);
  machine.heat(92, 0);
  for (int i = 0; i < 6; ++i) machine.tick();
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a state_change optimal>critical", "GPU-a critical", "GPU-a overheat"));
  EXPECT_EQ(machine.device(1).throttling.speed_multiplier, 1);
  EXPECT_EQ(machine.device(1).throttling.state, State::optimal);
}

TEST(GovernorTest, TheEmergencyLineIsSeenBetweenSamplesAndAgainstDwell) {
  GovernorSettings settings;
  settings.min_dwell_samples_up = 5;
  GovernedMachine machine(1, settings);
  machine.at(60);
  machine.heat(89);
  EXPECT_EQ(machine.tick(1s).state, State::optimal);
  machine.heat(90);
  EXPECT_EQ(machine.tick(1s).state, State::critical);
  EXPECT_EQ(machine.device().throttling.speed_multiplier, 0);
  machine.heat(89);
  machine.tick(1s);
  machine.heat(90);
  machine.tick(1s);
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a state_change optimal>critical", "GPU-a critical", "GPU-a overheat"))
      << "noise on the line is told of once";
}

TEST(GovernorTest, BetweenSamplesNothingElseIsJudged) {
  GovernedMachine machine;
  machine.at(60);
  machine.heat(80);
  EXPECT_EQ(machine.tick(1s).state, State::optimal);
  EXPECT_EQ(machine.tick(1s).state, State::optimal);
  EXPECT_EQ(machine.device().state, State::throttled) << "what the reading shows by itself";
  EXPECT_EQ(machine.tick(1s).state, State::throttled);
}

TEST(GovernorTest, SamplesThatComeALittleEarlyOrLateKeepTheirPace) {
  GovernedMachine machine;
  machine.at(60);
  int samples = 0;
  for (int i = 0; i < 60; ++i) {
    machine.heat(i % 6 < 3 ? 90 : 60);
    machine.tick(i % 2 == 0 ? 990ms : 1010ms);
    samples += i % 3 == 2 && machine.device().throttling.state == State::critical;
  }
  EXPECT_EQ(samples, 20);
}

TEST(GovernorTest, CriticalHeatPausesUntilAMinuteAfterItWasLeft) {
  GovernedMachine machine;
  machine.at(86);
  for (int i = 0; i < 2; ++i) machine.at(50);
  ASSERT_EQ(machine.device().throttling.state, State::throttled);
  EXPECT_EQ(reason(machine.device().throttling),
            "50 °C; pausing for 60 s since it was critical (critical_pause_seconds)");
  ASSERT_EQ(machine.device().throttling.requests.front().until, machine.now() + 60s);
  machine.tick(59s);
  EXPECT_EQ(machine.device().throttling.speed_multiplier, 0);
  machine.tick(1s);
  EXPECT_GT(machine.device().throttling.speed_multiplier, 0) << "between two samples, on time";
}

TEST(GovernorTest, SpeedComesBackToFullByItself) {
  GovernedMachine machine;
  machine.at(92);
  std::vector<double> speeds;
  for (int i = 0; i < 60; ++i) {
    const double speed = machine.at(50).speed_multiplier;
    if (speeds.empty() || speeds.back() != speed) speeds.push_back(speed);
  }
  EXPECT_THAT(speeds, ElementsAre(0, 1));
  EXPECT_THAT(machine.device().throttling.requests, IsEmpty());
}

TEST(GovernorTest, ThrottledHeatStaysSlowForHalfAMinuteAfterItWasLeft) {
  GovernedMachine machine;
  machine.at(80);
  machine.at(50);
  machine.at(50);
  ASSERT_EQ(machine.device().throttling.state, State::normal);
  machine.tick(29s);
  EXPECT_EQ(machine.device().throttling.speed_multiplier, 0.5);
  EXPECT_EQ(reason(machine.device().throttling),
            "50 °C; slow for 30 s since it was throttled (throttle_cooldown_seconds)");
  machine.tick(1s);
  EXPECT_GE(machine.device().throttling.speed_multiplier, 0.8);
}

TEST(GovernorTest, SaysWhatHoldsAStateThatTheReadingDoesNotShow) {
  GovernedMachine machine;
  machine.at(80);
  EXPECT_EQ(reason(machine.at(73)), "73 °C, not yet 3 °C below 75 °C (temp_normal)");
  EXPECT_EQ(reason(machine.at(60)), "60 °C; recovering by one state at a time: 1 of 2 samples showed a better one");
}

TEST(GovernorTest, AStateIsLeftAtItsBorderLessTheHysteresis) {
  GovernedMachine machine;
  machine.at(80);
  EXPECT_EQ(reason(machine.at(72.1)), "72.1 °C, not yet 3 °C below 75 °C (temp_normal)");
  EXPECT_EQ(reason(machine.at(72.04)), "72 °C, just short of 3 °C below 75 °C (temp_normal)");
  EXPECT_EQ(reason(machine.at(72)), "72 °C; recovering by one state at a time: 1 of 2 samples showed a better one");
  EXPECT_EQ(machine.at(72).state, State::normal);

  GovernedMachine full;
  full.fill(96);
  full.tick();
  full.fill(93);
  EXPECT_EQ(reason(full.tick()),
            "93 % of the memory; recovering by one state at a time: 1 of 2 samples showed a better one");
  EXPECT_EQ(full.tick().state, State::throttled);
}

TEST(GovernorTest, WithoutHysteresisTheBorderItselfIsStillTheWorseState) {
  GovernorSettings settings;
  settings.hysteresis_celsius = Celsius(0);
  settings.min_dwell_samples_down = 1;
  GovernedMachine machine(1, settings);
  machine.at(80);
  EXPECT_EQ(reason(machine.at(75)), "75 °C, at 75 °C (temp_normal)");
  EXPECT_EQ(machine.at(74.9).state, State::normal);
}

TEST(GovernorTest, AnEmergencyEndsAtItsLineLessTheHysteresis) {
  GovernedMachine machine;
  machine.at(92);
  machine.events();
  machine.at(87.1);
  machine.at(92);
  EXPECT_THAT(machine.events(), IsEmpty()) << "it was not over";
  machine.at(87);
  machine.at(92);
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a overheat"));
}

TEST(GovernorTest, AnEmergencyBetweenSamplesSaysItsOwnTemperatureThoughTheStateWasCritical) {
  GovernedMachine machine;
  EXPECT_EQ(reason(machine.at(86)), "86 °C, above 85 °C (temp_throttle)");
  machine.events();
  machine.heat(99);
  EXPECT_EQ(reason(machine.tick(1s)), "99 °C, above 90 °C (temp_critical): an emergency");
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a overheat"));
}

// The example of docs/governor.md, line by line.
TEST(GovernorTest, TheDocumentedExampleIsTrue) {
  GovernedMachine machine;
  machine.tick();
  std::map<int, std::tuple<State, double, std::string>> seen;
  const double kReadings[] = {72, 77, 82, 86, 87, 88, 86, 85, 83, 80, 77, 74, 71, 68, 64, 61, 59, 50};
  for (int time = 0; time <= 90; time += 3) {
    const auto sample = static_cast<std::size_t>(time / 3);
    const Throttling& advice = machine.at(sample < std::size(kReadings) ? kReadings[sample] : 50);
    seen[time] = {advice.state, advice.speed_multiplier, reason(advice)};
  }
  const auto at = [&](int time, State state, double speed, std::string_view why) {
    EXPECT_EQ(seen.at(time), std::tuple(state, speed, std::string(why))) << time;
  };
  constexpr std::string_view kPause = "; pausing for 60 s since it was critical (critical_pause_seconds)";
  at(0, State::normal, 0.8, "72 °C, above 65 °C (temp_optimal)");
  at(3, State::throttled, 0.5, "77 °C, above 75 °C (temp_normal)");
  at(9, State::critical, 0, "86 °C, above 85 °C (temp_throttle)");
  at(24, State::critical, 0, "83 °C, not yet 3 °C below 85 °C (temp_throttle)");
  at(27, State::critical, 0, "80 °C; recovering by one state at a time: 1 of 2 samples showed a better one");
  at(30, State::throttled, 0, "77 °C" + std::string(kPause));
  at(36, State::throttled, 0, "71 °C" + std::string(kPause));
  at(39, State::normal, 0, "68 °C" + std::string(kPause));
  at(87, State::optimal, 0, "50 °C" + std::string(kPause));
  at(90, State::optimal, 1, "");
}

TEST(GovernorTest, ALostDeviceRunsAtFullSpeedAndUnavailableUntilItIsBack) {
  GovernedMachine machine;
  machine.at(86);
  machine.events();
  machine.lose();
  const Throttling& gone = machine.tick(1s);
  EXPECT_EQ(gone.state, State::unavailable);
  EXPECT_EQ(gone.speed_multiplier, 1);
  EXPECT_FALSE(gone.should_throttle());
  EXPECT_THAT(gone.requests, IsEmpty());
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a state_change critical>unavailable", "GPU-a device_lost"));
  machine.tick();
  machine.find_again(80);
  const Throttling& back = machine.tick(1s);
  EXPECT_EQ(back.speed_multiplier, 0.5) << "judged at once, afresh";
  EXPECT_THAT(machine.events(),
              ElementsAre("GPU-a state_change unavailable>throttled", "GPU-a device_recovered", "GPU-a throttle"));
}

TEST(GovernorTest, ADeviceThatIsLostAtFirstSightTellsNothingUntilItComes) {
  GovernedMachine machine;
  machine.lose();
  machine.tick();
  EXPECT_THAT(machine.events(), IsEmpty());
  machine.find_again(50);
  machine.tick();
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a state_change unavailable>optimal", "GPU-a device_recovered"));
}

TEST(GovernorTest, ADeviceThatFallsAsleepIsNotLost) {
  GovernedMachine machine;
  machine.tick();
  machine.lose();
  machine.reading().attention = Attention::asleep;
  machine.tick();
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a state_change optimal>unavailable"));
  machine.find_again(50);
  machine.tick();
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a state_change unavailable>optimal"));
}

TEST(GovernorTest, ASensorThatFallsSilentIsHeldAndThenCostsALittleSpeedNeverAPause) {
  GovernedMachine machine;
  machine.at(86);
  machine.reading().temperature = missing(Missing::failed);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(machine.tick().speed_multiplier, 0) << i;
  EXPECT_EQ(reason(machine.device().throttling),
            "86 °C when it was last told, 3 samples ago, above 85 °C (temp_throttle)");
  const Throttling& silent = machine.tick();
  EXPECT_EQ(silent.speed_multiplier, 0.8);
  EXPECT_EQ(silent.state, State::normal);
  ASSERT_THAT(silent.requests, SizeIs(1));
  EXPECT_EQ(silent.requests.front().cause, ThrottleCause::missing_sensor);
  EXPECT_EQ(reason(silent), "the temperature is not known any more: the driver answered with an error");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(machine.tick().speed_multiplier, 0.8);
  EXPECT_EQ(machine.at(50).speed_multiplier, 1);
  EXPECT_THAT(machine.device().throttling.requests, IsEmpty());
}

TEST(GovernorTest, ASensorThatSpeaksAgainInTimeChangesNothing) {
  GovernedMachine machine;
  machine.at(80);
  for (int round = 0; round < 5; ++round) {
    machine.reading().temperature = missing(Missing::failed);
    for (int i = 0; i < 3; ++i) machine.tick();
    EXPECT_EQ(machine.at(80).speed_multiplier, 0.5);
  }
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a state_change optimal>throttled", "GPU-a throttle"));
}

TEST(GovernorTest, AnEmergencyWhoseSensorFallsSilentEnds) {
  GovernedMachine machine;
  machine.at(92);
  machine.reading().temperature = missing(Missing::failed);
  for (int i = 0; i < 4; ++i) machine.tick();
  EXPECT_EQ(machine.device().throttling.speed_multiplier, 0.8);
}

TEST(GovernorTest, ADeviceThatNeverTellsATemperatureIsJudgedByItsMemory) {
  GovernedMachine machine;
  machine.reading().temperature = missing(Missing::not_supported);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(machine.tick().speed_multiplier, 1);
  EXPECT_EQ(machine.device().throttling.state, State::optimal);
  machine.reading() = Reading{Missing::not_supported};
  for (int i = 0; i < 4; ++i) machine.tick();
  EXPECT_EQ(machine.device().throttling.state, State::unavailable) << "with no axis left nothing is known";
  EXPECT_EQ(machine.device().throttling.speed_multiplier, 1);
}

TEST(GovernorTest, WhatIsNoNumberIsNoReading) {
  for (const double value : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    GovernedMachine machine;
    machine.at(50);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(machine.at(value).state, State::optimal);
    EXPECT_EQ(machine.at(value).speed_multiplier, 0.8);
    EXPECT_EQ(reason(machine.device().throttling), "the temperature is not known any more: it is no number");
  }
}

TEST(GovernorTest, LoadThrottlesOnlyWhereItIsAskedForAndOnlyWhenItLasts) {
  GovernedMachine machine;
  machine.reading().utilization = Percent(100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(machine.tick().speed_multiplier, 1);

  GovernorSettings settings;
  settings.load_throttle_percent = Percent(95);
  machine.governor().configure(settings);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(machine.tick().state, State::optimal) << i;
  EXPECT_EQ(machine.tick().state, State::throttled) << "30 s after its first sample";
  EXPECT_EQ(reason(machine.device().throttling),
            "100 % utilization, above 95 % for 30 s or longer "
            "(load_throttle_percent)");
  machine.reading().utilization = Percent(90);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(machine.tick().state, State::throttled) << i;
  EXPECT_EQ(reason(machine.device().throttling),
            "90 % utilization, not yet below 95 % for 30 s (load_throttle_percent)");
  for (int i = 0; i < 2; ++i) machine.tick();
  EXPECT_EQ(machine.device().throttling.state, State::normal);
  machine.reading().utilization = missing(Missing::failed);
  EXPECT_EQ(machine.tick().speed_multiplier, 1) << "nothing is held against a device that does not tell it";
}

TEST(GovernorTest, PowerThrottlesWhereItIsAskedFor) {
  GovernorSettings settings;
  settings.power_throttle_percent = Percent(98);
  settings.power_sustain = 6s;
  GovernedMachine machine(1, settings);
  machine.reading().power = Watts(690);
  machine.reading().power_limit = Watts(700);
  machine.tick();
  machine.tick();
  EXPECT_EQ(machine.tick().speed_multiplier, 0.5);
  EXPECT_EQ(machine.device().throttling.requests.front().cause, ThrottleCause::power);
  EXPECT_EQ(reason(machine.device().throttling),
            "98.6 % of the power limit, above 98 % for 6 s or longer (power_throttle_percent)");
}

TEST(GovernorTest, TheStrictestOfSeveralCausesWinsAndTheOthersStay) {
  GovernedMachine machine;
  machine.heat(70);
  machine.fill(90);
  const Throttling& advice = machine.tick();
  ASSERT_THAT(advice.requests, SizeIs(2));
  EXPECT_EQ(advice.requests[0].cause, ThrottleCause::memory);
  EXPECT_EQ(advice.requests[1].cause, ThrottleCause::thermal);
  EXPECT_EQ(advice.speed_multiplier, 0.5);
  machine.fill(10);
  for (int i = 0; i < 20; ++i) machine.tick();
  EXPECT_EQ(machine.device().throttling.speed_multiplier, 0.8) << "the heat still holds its own";
}

TEST(GovernorTest, AnOperatorsRequestHoldsForItsTime) {
  GovernedMachine machine(2);
  machine.tick();
  ASSERT_TRUE(machine.governor().request({.device = DeviceId{"GPU-b"},
                                          .multiplier = 0.5,
                                          .who = "root",
                                          .since = WallTime(1s),
                                          .until = machine.now() + 10s}));
  machine.tick(1s);
  EXPECT_EQ(machine.device(0).throttling.speed_multiplier, 1);
  const Throttling& asked = machine.device(1).throttling;
  EXPECT_EQ(asked.speed_multiplier, 0.5);
  EXPECT_EQ(asked.state, State::optimal) << "the state is that of the readings";
  ASSERT_THAT(asked.requests, SizeIs(1));
  EXPECT_EQ(asked.requests[0], (ThrottleRequest{.cause = ThrottleCause::operator_request,
                                                .multiplier = 0.5,
                                                .reason = "asked for by root",
                                                .since = WallTime(1s),
                                                .until = machine.now() + 9s}));
  machine.tick(8s);
  EXPECT_EQ(machine.device(1).throttling.speed_multiplier, 0.5);
  machine.tick(1s);
  EXPECT_EQ(machine.device(1).throttling.speed_multiplier, 1);
  EXPECT_THAT(machine.governor().requests(), IsEmpty());
  EXPECT_THAT(machine.events(), IsEmpty());
}

TEST(GovernorTest, AnOperatorsRequestIsReplacedAndTakenBackAndTheStricterOfTwoHolds) {
  GovernedMachine machine(2);
  machine.tick();
  Governor& governor = machine.governor();
  ASSERT_TRUE(governor.request({.multiplier = 0.8, .who = "root"}));
  ASSERT_TRUE(governor.request({.device = DeviceId{"GPU-a"}, .multiplier = 0.5, .who = "alice"}));
  machine.tick(1s);
  EXPECT_EQ(machine.device(0).throttling.speed_multiplier, 0.5);
  EXPECT_EQ(machine.device(1).throttling.speed_multiplier, 0.8);
  ASSERT_TRUE(governor.request({.multiplier = 0, .who = "root"}));
  machine.tick(1s);
  EXPECT_EQ(machine.device(0).throttling.speed_multiplier, 0);
  EXPECT_TRUE(governor.clear(std::nullopt));
  EXPECT_FALSE(governor.clear(std::nullopt));
  machine.tick(1s);
  EXPECT_EQ(machine.device(0).throttling.speed_multiplier, 0.5);
  EXPECT_EQ(machine.device(1).throttling.speed_multiplier, 1);
  const auto wrong = governor.request({.multiplier = 0.7, .who = "root"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "the speed multiplier must be 0.8, 0.5 or 0, not 0.7; 1 is no request");
}

TEST(GovernorTest, AnOperatorsRequestDoesNotHoldALostDevice) {
  GovernedMachine machine;
  ASSERT_TRUE(machine.governor().request({.multiplier = 0, .who = "root"}));
  machine.lose();
  EXPECT_EQ(machine.tick().speed_multiplier, 1);
  machine.find_again(50);
  EXPECT_EQ(machine.tick().speed_multiplier, 0) << "but it is kept";
}

GpuProcess game(std::int64_t pid, std::string name, ProcessClass kind) {
  GpuProcess process;
  process.pid = pid;
  process.name = std::move(name);
  auto facts = std::make_shared<ProcessFacts>();
  facts->classification.kind = kind;
  process.facts = std::move(facts);
  return process;
}

void run(GovernedMachine& machine, std::vector<GpuProcess> processes) {
  machine.device().processes = std::make_shared<const std::vector<GpuProcess>>(std::move(processes));
}

TEST(GovernorTest, YieldsToAnApplicationThatIsNotOursUntilItLeaves) {
  GovernorSettings settings;
  settings.yield.enabled = true;
  GovernedMachine machine(1, settings, [](const DeviceSnapshot&, std::int64_t pid) { return pid == 7; });
  run(machine, {game(7, "steam", ProcessClass::gaming), game(8, "python3", ProcessClass::ml_training)});
  EXPECT_EQ(machine.tick().speed_multiplier, 1);
  run(machine, {game(7, "steam", ProcessClass::gaming), game(9, "quake\x1b[2J", ProcessClass::gaming)});
  EXPECT_EQ(machine.tick().speed_multiplier, 0.5);
  EXPECT_EQ(machine.device().throttling.requests.front().cause, ThrottleCause::foreign_application);
  EXPECT_EQ(reason(machine.device().throttling), "pid 9 (quake?[2J) uses it and is not ours: gaming");
  run(machine, {});
  machine.device().processes_reason = "the driver did not answer";
  EXPECT_EQ(machine.tick().speed_multiplier, 0.5) << "nobody knows whether it has left";
  machine.device().processes_reason.clear();
  EXPECT_EQ(machine.tick().speed_multiplier, 1);
  EXPECT_THAT(machine.events(), ElementsAre("GPU-a yield", "GPU-a yield_over"));
}

TEST(GovernorTest, YieldsToNobodyUnlessItIsAskedFor) {
  GovernedMachine machine;
  run(machine, {game(9, "quake", ProcessClass::gaming)});
  EXPECT_EQ(machine.tick().speed_multiplier, 1);
  GovernorSettings settings;
  settings.yield.enabled = true;
  machine.governor().configure(settings);
  EXPECT_EQ(machine.tick().speed_multiplier, 0.5);
  settings.yield.ours = {"qua*"};
  machine.governor().configure(settings);
  EXPECT_EQ(machine.tick().speed_multiplier, 1);
  settings.yield.any = true;
  machine.governor().configure(settings);
  run(machine, {game(10, "simulation", ProcessClass::unknown)});
  EXPECT_EQ(machine.tick().speed_multiplier, 0.5);
}

TEST(GovernorTest, ChangedSettingsHoldAtTheNextTickAndNoStateIsLost) {
  GovernedMachine machine;
  machine.at(86);
  for (int i = 0; i < 2; ++i) machine.at(50);
  ASSERT_EQ(machine.device().throttling.speed_multiplier, 0) << "pausing";
  GovernorSettings settings;
  settings.critical_pause = 20s;
  machine.governor().configure(settings);
  machine.tick(19s);
  EXPECT_EQ(machine.device().throttling.speed_multiplier, 0) << "counted from when critical was left, not anew";
  machine.tick(1s);
  EXPECT_NE(machine.device().throttling.speed_multiplier, 0);

  settings.thresholds.temp_optimal = Celsius(40);
  machine.governor().configure(settings);
  EXPECT_EQ(machine.tick().state, State::normal);
  EXPECT_EQ(machine.device().state, State::normal) << "the reading by itself is judged alike";
}

TEST(GovernorTest, ThresholdsAreThoseOfTheDevice) {
  GovernorSettings settings;
  settings.devices = {{"GPU-b", {.temp_optimal = Celsius(40)}}};
  settings.temp_auto.enabled = true;
  GovernedMachine machine(2, settings);
  machine.reading(1).temperature_slowdown = missing(Missing::not_supported);
  machine.reading(0).temperature_slowdown = Celsius(60);
  machine.heat(57, 0);
  machine.tick();
  EXPECT_EQ(machine.device(0).throttling.state, State::throttled);
  EXPECT_EQ(reason(machine.device(0).throttling), "57 °C, above 56 °C (temp_normal)");
  EXPECT_EQ(machine.device(0).throttling.thresholds.temp_throttle, Celsius(59));
  EXPECT_EQ(machine.device(0).throttling.thresholds.temp_critical, Celsius(60));
  EXPECT_EQ(machine.device(1).throttling.state, State::normal);
  EXPECT_EQ(machine.device(1).throttling.thresholds.temp_optimal, Celsius(40));
  EXPECT_EQ(machine.device(1).throttling.thresholds.temp_throttle, Celsius(85)) << "as everybody's";

  machine.lose(0);
  machine.tick();
  EXPECT_EQ(machine.device(0).throttling.thresholds.temp_throttle, Celsius(59)) << "the same while it is away";
}

TEST(GovernorTest, PartitionsKeepThePaceOfTheirDevice) {
  GovernedMachine machine;
  machine.device().partitions.emplace_back().available = true;
  machine.device().partitions[0].reading = Reading{Missing::not_supported};
  machine.at(80);
  EXPECT_EQ(machine.device().partitions[0].throttling, machine.device().throttling);
}

TEST(GovernorTest, ADeviceThatLeavesTheSnapshotAndComesAgainBeginsAfresh) {
  GovernedMachine machine;
  machine.at(86);
  machine.events();
  DeviceSnapshot kept = machine.device();
  machine.snapshot().devices.clear();
  machine.snapshot().monotonic += 3s;
  machine.governor().govern(machine.snapshot());
  machine.snapshot().devices.push_back(kept);
  machine.at(50);
  EXPECT_EQ(machine.device().throttling.speed_multiplier, 1);
}

TEST(GovernorTest, StateSinceAndSinceSayWhen) {
  GovernedMachine machine;
  machine.tick();
  const WallTime begun = machine.snapshot().taken_at;
  EXPECT_EQ(machine.tick().state_since, begun);
  const WallTime hot = machine.snapshot().taken_at + 3s;
  machine.at(80);
  machine.at(70);
  EXPECT_EQ(machine.at(70).state_since, machine.snapshot().taken_at);
  EXPECT_EQ(machine.device().throttling.requests.front().since, hot);
}

}  // namespace
}  // namespace gpukeeper
