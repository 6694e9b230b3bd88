#include "policy/andon/andon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_alert_store.hpp"
#include "policy/andon/andon_world.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class LifecycleTest : public AndonTest {
 protected:
  void heat(double celsius, std::size_t i = 0) { reading(i).temperature = Celsius(celsius); }
  /// Hot for long enough.
  void fire() {
    heat(85);
    look();
    after(2min);
  }
};

TEST_F(LifecycleTest, PendingThenFiringThenResolved) {
  heat(85);
  look();
  EXPECT_THAT(alerts(), ElementsAre("thermal pending warning 55"));
  EXPECT_EQ(last.devices[0].lamp, Lamp::green);  // not yet
  EXPECT_THAT(listener.take(), IsEmpty());
  const WallTime since = last.taken_at;

  after(2min - 1ns);
  EXPECT_THAT(alerts(), ElementsAre("thermal pending warning 55"));
  after(1ns);
  EXPECT_THAT(alerts(), ElementsAre("thermal firing warning 55"));
  EXPECT_EQ(last.devices[0].lamp, Lamp::yellow);
  EXPECT_EQ(last.lamp, Lamp::yellow);
  EXPECT_THAT(listener.take(), ElementsAre("fired thermal"));
  const Alert& a = alert("thermal");
  EXPECT_EQ(a.id, "1");
  EXPECT_EQ(a.device, DeviceId{"GPU-a"});
  EXPECT_EQ(a.device_index, 0U);
  EXPECT_EQ(a.since, since);
  EXPECT_EQ(a.fired_at, last.taken_at);
  EXPECT_EQ(a.value, 85);
  EXPECT_EQ(a.threshold, 80);
  EXPECT_EQ(a.link, "docs/alerts.md#thermal");
  EXPECT_EQ(a.remedy, find_rule("thermal")->remedy);

  heat(50);
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("thermal resolved warning 55"));
  EXPECT_EQ(alert("thermal", AlertPhase::resolved).resolved_at, last.taken_at);
  EXPECT_EQ(last.devices[0].lamp, Lamp::green);
  EXPECT_THAT(listener.take(), ElementsAre("resolved thermal"));
}

TEST_F(LifecycleTest, ItsLinkLeadsToThePageThatIsConfigured) {
  AndonSettings settings;
  settings.documentation_url = "https://wiki.example.org/alerts.md";
  settings.user_rules.push_back({.id = "any", .metric = "temperature_celsius", .threshold = 1});
  remake(std::move(settings));
  fire();
  EXPECT_EQ(alert("thermal").link, "https://wiki.example.org/alerts.md#thermal");
  EXPECT_EQ(alert("any").link, "https://wiki.example.org/alerts.md#rules-of-your-own");
}

TEST_F(LifecycleTest, ToldOnceHoweverLongItLasts) {
  fire();
  for (int i = 0; i < 59 * 60; ++i) after(1s);
  EXPECT_THAT(listener.take(), ElementsAre("fired thermal"));
  EXPECT_EQ(last.alerts->size(), 1U);
}

TEST_F(LifecycleTest, WhoIsToldLearnsWhereTheDeviceIsFrom) {
  fire();
  EXPECT_THAT(listener.take(), ElementsAre("fired thermal"));
  EXPECT_EQ(listener.origin, "");
  Device device = *devices[0].device;
  device.simulated = true;
  devices[0].device = std::make_shared<const Device>(device);
  remake();
  fire();
  EXPECT_THAT(listener.take(), ElementsAre("fired thermal"));
  EXPECT_EQ(listener.origin, "simulated");

  // What is about no device that is listed is as all of them are.
  Alert alert = listener.last;
  alert.device.reset();
  EXPECT_EQ(origin_of(alert, last), "simulated");
  Snapshot mixed = last;
  device.simulated = false;
  mixed.devices.push_back({.device = std::make_shared<const Device>(device)});
  EXPECT_EQ(origin_of(alert, mixed), "");
  device.recorded = true;
  mixed.devices = {{.device = std::make_shared<const Device>(device)}};
  EXPECT_EQ(origin_of(alert, mixed), "recorded");
  EXPECT_EQ(origin_of(alert, Snapshot()), "");
}

TEST_F(LifecycleTest, ItIsRepeatedAtItsInterval) {
  fire();
  listener.take();
  after(1h - 1s);
  EXPECT_THAT(listener.take(), IsEmpty());
  after(1s);
  EXPECT_THAT(listener.take(), ElementsAre("repeated thermal"));
  after(1h);
  EXPECT_THAT(listener.take(), ElementsAre("repeated thermal"));
  remake({.rules = {{.rule = "thermal", .repeat = 0s}}});
  fire();
  listener.take();
  after(24h);
  EXPECT_THAT(listener.take(), IsEmpty());
}

TEST_F(LifecycleTest, AConditionThatEndsInTimeWasNothing) {
  heat(85);
  look();
  heat(50);
  after(119s);
  EXPECT_THAT(alerts(), IsEmpty());
  heat(85);
  after(1s);
  after(119s);
  EXPECT_THAT(alerts(), ElementsAre("thermal pending warning 55"));  // counted anew
  EXPECT_THAT(listener.take(), IsEmpty());
}

TEST_F(LifecycleTest, NearTheBorderItLastsButDoesNotBegin) {
  fire();
  heat(78);
  after(1h);
  EXPECT_TRUE(fires("thermal"));
  EXPECT_EQ(alert("thermal").message, "GPU 0 thermal throttling: 85°C exceeds 80°C threshold");  // as it was there
  heat(77.1);
  after(1s);
  EXPECT_TRUE(fires("thermal"));
  heat(77);
  after(1s);
  EXPECT_FALSE(fires("thermal"));
  heat(79);
  after(1h);
  EXPECT_FALSE(fires("thermal"));

  heat(80);
  after(1s);
  heat(79.5);  // pending needs the border itself
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("thermal resolved warning 55"));
}

TEST_F(LifecycleTest, WhatIsOverIsRememberedAsItWasAtItsWorst) {
  fire();
  heat(92);
  after(1min);
  heat(93.4);
  after(1min);
  ASSERT_THAT(alerts(), ElementsAre("thermal firing critical 80"));
  heat(81);
  after(1min);
  EXPECT_THAT(alerts(), ElementsAre("thermal firing warning 51"));  // now, it is milder
  heat(50);
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("thermal resolved critical 80"));
  const Alert& over = alert("thermal", AlertPhase::resolved);
  EXPECT_EQ(over.value, 93.4);
  EXPECT_EQ(over.threshold, 90);
  EXPECT_EQ(over.message, "GPU 0 thermal throttling: 93°C exceeds 80°C threshold");

  fire();
  heat(84);
  after(1s);
  heat(50);
  after(1s);
  EXPECT_EQ(last.alerts->size(), 2U);
  EXPECT_EQ(std::ranges::find(*last.alerts, "2", &Alert::id)->value, 85);
}

TEST_F(LifecycleTest, NoiseOnTheBorderForAnHourIsOneAlert) {
  for (int i = 0; i < 3600; ++i) {
    heat(i % 2 == 0 ? 81 : 79);
    after(1s);
  }
  EXPECT_THAT(listener.take(), IsEmpty());  // it never held for two minutes
  remake({.rules = {{.rule = "thermal", .sustain = 0s}}});
  for (int i = 0; i < 3600; ++i) {
    heat(i % 2 == 0 ? 81 : 79);
    after(1s);
  }
  EXPECT_THAT(listener.take(), ElementsAre("fired thermal"));
}

TEST_F(LifecycleTest, AWarningThatBecomesCriticalIsToldAgainAndFallsBackQuietly) {
  fire();
  listener.take();
  heat(90);
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("thermal firing critical 80"));
  EXPECT_EQ(alert("thermal").id, "1");
  EXPECT_EQ(alert("thermal").threshold, 90);
  EXPECT_EQ(last.lamp, Lamp::red);
  EXPECT_THAT(listener.take(), ElementsAre("escalated thermal"));
  heat(88);
  after(1s);
  EXPECT_EQ(alert("thermal").level, AlertLevel::critical);  // within the hysteresis
  heat(87);
  after(1s);
  EXPECT_EQ(alert("thermal").level, AlertLevel::warning);
  EXPECT_THAT(listener.take(), IsEmpty());
}

TEST_F(LifecycleTest, TheSecondBorderHasATimeOfItsOwn) {
  heat(95);
  look();
  EXPECT_THAT(alerts(), ElementsAre("thermal firing critical 80"));  // at once
  remake();
  heat(50);
  reading().memory_used = from_mib(9'600);
  look();
  after(59s);
  EXPECT_THAT(alerts(), ElementsAre("memory_pressure pending warning 80"));
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("memory_pressure firing critical 80"));
}

TEST_F(LifecycleTest, TimesAreOfTheMonotonicClock) {
  heat(85);
  look();
  wall_shift = -24h;  // somebody sets the date
  after(1min);
  EXPECT_FALSE(fires("thermal"));
  wall_shift = 24h;
  after(30s);
  EXPECT_FALSE(fires("thermal"));
  after(30s);
  EXPECT_TRUE(fires("thermal"));
}

TEST_F(LifecycleTest, EveryEpisodeHasAnIdOfItsOwn) {
  fire();
  heat(50);
  after(1s);
  fire();
  EXPECT_EQ(alert("thermal").id, "2");
  EXPECT_EQ(alert("thermal", AlertPhase::resolved).id, "1");
}

TEST_F(LifecycleTest, ASleepingDeviceRaisesNoAlertAndKeepsNone) {
  fire();
  listener.take();
  sleep(0);
  after(1s);
  EXPECT_FALSE(fires("thermal"));
  EXPECT_THAT(listener.take(), ElementsAre("resolved thermal"));
  after(10h);
  EXPECT_THAT(listener.take(), IsEmpty());
  EXPECT_EQ(last.devices[0].lamp, Lamp::off);
  EXPECT_EQ(last.lamp, Lamp::off);
}

TEST_F(LifecycleTest, ALostDeviceKeepsItsAlertsUnderTheOneThatSaysSo) {
  fire();
  listener.take();
  lose(0);
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("thermal firing warning 55", "gpu_lost pending critical 95"));
  EXPECT_EQ(alert("thermal").unknown_since, last.taken_at);
  EXPECT_EQ(last.devices[0].lamp, Lamp::yellow);
  after(5s);
  EXPECT_THAT(alerts(), ElementsAre("gpu_lost firing critical 95", "thermal firing warning 55"));
  EXPECT_EQ(last.devices[0].lamp, Lamp::red);
  after(2h);
  EXPECT_THAT(listener.take(),
              ElementsAre("fired gpu_lost", "repeated gpu_lost"));  // what is not known is not repeated

  recover(0);
  after(1s);
  EXPECT_FALSE(fires("thermal"));
  after(5s);
  EXPECT_FALSE(fires("gpu_lost"));
  EXPECT_THAT(listener.take(), ElementsAre("resolved thermal", "resolved gpu_lost"));
}

TEST_F(LifecycleTest, ALostDeviceThatComesBackHotIsTheSameEpisode) {
  fire();
  lose(0);
  after(1s);
  recover(0);
  heat(85);
  after(1s);
  EXPECT_EQ(alert("thermal").id, "1");
  EXPECT_EQ(alert("thermal").unknown_since, std::nullopt);
}

TEST_F(LifecycleTest, WhatNobodyCanTellForADayIsOver) {
  fire();
  listener.take();
  reading().temperature = missing(Missing::failed);
  reading().temperature_hotspot = missing(Missing::failed);
  after(1s);
  EXPECT_TRUE(fires("thermal"));
  after(24h - 1s);
  EXPECT_TRUE(fires("thermal"));
  after(1s);
  EXPECT_FALSE(fires("thermal"));
  EXPECT_THAT(listener.take(), ElementsAre("resolved thermal"));
}

TEST_F(LifecycleTest, ASensorThatFailsEndsWhatIsPending) {
  heat(85);
  look();
  reading().temperature = missing(Missing::failed);
  after(1s);
  EXPECT_THAT(alerts(), IsEmpty());
}

TEST_F(LifecycleTest, ADeviceThatIsNotListedAnyMoreKeepsItsAlertsForADay) {
  add_gpu("GPU-b", "0000:02:00.0");
  heat(85, 1);
  look();
  after(2min);
  devices.pop_back();
  after(1s);
  EXPECT_TRUE(fires("thermal"));
  EXPECT_NE(alert("thermal").unknown_since, std::nullopt);
  after(24h);
  EXPECT_FALSE(fires("thermal"));
}

TEST_F(LifecycleTest, DevicesAreToldTogetherAndJudgedAlone) {
  add_gpu("GPU-b", "0000:02:00.0");
  for (std::size_t i = 0; i < 2; ++i) {
    heat(85, i);
    reading(i).utilization = Percent(90);
  }
  look();
  after(2min);
  EXPECT_THAT(listener.take(),
              ElementsAre("fired thermal", "fired utilization_high", "fired thermal", "fired utilization_high"));
  heat(50, 0);
  after(1s);
  EXPECT_EQ(last.devices[0].lamp, Lamp::green);
  EXPECT_EQ(last.devices[1].lamp, Lamp::yellow);
  EXPECT_EQ(last.lamp, Lamp::yellow);
}

TEST_F(LifecycleTest, TheListBeginsWithWhatFiresTheWorstFirst) {
  reading().utilization = Percent(90);
  reading().ecc_uncorrected_volatile = Count(2);
  heat(92);
  look();
  after(10s);
  reading().fan = Percent(0);
  heat(92);
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("ecc firing critical 90", "thermal firing critical 80",
                                    "utilization_high firing info 20", "fan_stopped pending warning 60"));
}

TEST_F(LifecycleTest, ResolvedAlertsStayInTheListForADay) {
  fire();
  heat(50);
  after(1s);
  after(24h);
  EXPECT_EQ(last.alerts->size(), 1U);
  after(1s);
  EXPECT_THAT(alerts(), IsEmpty());
}

TEST_F(LifecycleTest, AListThatIsTheSameIsNotCopied) {
  fire();
  const auto before = last.alerts;
  after(1s);
  EXPECT_EQ(last.alerts, before);
  heat(85.4);  // reads the same
  after(1s);
  EXPECT_EQ(last.alerts, before);
  heat(86);
  after(1s);
  EXPECT_NE(last.alerts, before);
}

TEST_F(LifecycleTest, AnAcknowledgedAlertIsNotRepeatedButColoursTheLamp) {
  fire();
  listener.take();
  ASSERT_TRUE(andon->acknowledge("1", "mara", std::nullopt, "I ordered a fan"));
  after(1s);
  EXPECT_EQ(alert("thermal").acknowledged_by, "mara");
  EXPECT_EQ(alert("thermal").comment, "I ordered a fan");
  EXPECT_EQ(alert("thermal").acknowledged_until, std::nullopt);
  EXPECT_EQ(last.devices[0].lamp, Lamp::yellow);
  after(100h);
  EXPECT_THAT(listener.take(), IsEmpty());
  ASSERT_TRUE(andon->withdraw_acknowledgement("1"));
  after(1s);
  EXPECT_EQ(alert("thermal").acknowledged_by, "");
  EXPECT_THAT(listener.take(), ElementsAre("repeated thermal"));
  ASSERT_TRUE(andon->acknowledge("1", "mara"));
  heat(50);
  after(1s);
  EXPECT_THAT(listener.take(), ElementsAre("resolved thermal"));
}

TEST_F(LifecycleTest, AnAcknowledgementEndsWithItsTime) {
  fire();
  ASSERT_TRUE(andon->acknowledge("1", "mara", 2h));
  after(1s);
  listener.take();
  EXPECT_EQ(alert("thermal").acknowledged_until, last.taken_at - 1s + 2h);
  after(2h - 2s);
  EXPECT_THAT(listener.take(), IsEmpty());
  EXPECT_EQ(alert("thermal").acknowledged_by, "mara");
  after(1s);
  EXPECT_EQ(alert("thermal").acknowledged_by, "");
  EXPECT_THAT(listener.take(), ElementsAre("repeated thermal"));
}

TEST_F(LifecycleTest, AnAcknowledgementOfAWarningIsNoneOfSomethingCritical) {
  fire();
  ASSERT_TRUE(andon->acknowledge("1", "mara"));
  after(1s);
  listener.take();
  heat(91);
  after(1s);
  EXPECT_THAT(listener.take(), ElementsAre("escalated thermal"));
  EXPECT_EQ(alert("thermal").acknowledged_by, "");
}

TEST_F(LifecycleTest, CommandsSayWhatIsWrong) {
  fire();
  EXPECT_EQ(andon->acknowledge("7\x1b[2J", "mara").error().message,
            "no alert '7?[2J' is pending or firing; gpukeeper alerts lists those there are");
  EXPECT_EQ(andon->withdraw_acknowledgement("7").error(),
            (Error{Errc::not_found, "no alert '7' is pending or firing; gpukeeper alerts lists those there are"}));
  EXPECT_EQ(andon->acknowledge("1", "mara", 0s).error(),
            (Error{Errc::invalid_argument, "an alert is acknowledged for a moment to 365 days, not 0 s"}));
  EXPECT_EQ(andon->acknowledge("1", "mara", 1h, std::string(1001, 'x')).error(),
            (Error{Errc::invalid_argument, "a comment has at most 1000 bytes"}));
  EXPECT_EQ(andon->silence({.rule = "termal"}, 1h, "mara").error(),
            (Error{Errc::invalid_argument, "rule = 'termal': there is no such rule; did you mean thermal?"}));
  EXPECT_EQ(andon->silence({}, 0s, "mara").error(),
            (Error{Errc::invalid_argument, "a silence lasts from a moment to 365 days, not 0 s"}));
  EXPECT_EQ(andon->silence({}, 24h * 366, "mara").error(),
            (Error{Errc::invalid_argument, "a silence lasts from a moment to 365 days, not 31622400 s"}));
  EXPECT_EQ(andon->end_silence("9").error(),
            (Error{Errc::not_found, "there is no silence '9'; gpukeeper alerts silences lists those there are"}));
  EXPECT_EQ(andon->end_silence("").error().message,
            "a silence of the configuration ends when it is taken out of the configuration");
}

TEST_F(LifecycleTest, ASilencedAlertIsListedButNotToldAndColoursNoLamp) {
  look();
  const auto silence = andon->silence({.rule = "therm*", .device = "0"}, 1h, "mara", "the fan is ordered");
  ASSERT_TRUE(silence);
  EXPECT_EQ(silence->id, "1");
  EXPECT_EQ(silence->until, last.taken_at + 1h);
  EXPECT_THAT(*andon->silences(), ElementsAre(*silence));
  fire();
  EXPECT_THAT(alerts(), ElementsAre("thermal firing warning 55"));
  EXPECT_TRUE(alert("thermal").silenced);
  EXPECT_EQ(alert("thermal").silenced_until, silence->until);
  EXPECT_EQ(last.lamp, Lamp::green);
  EXPECT_THAT(listener.take(), IsEmpty());
  after(58min);
  EXPECT_THAT(andon->silences()->size(), 0U);
  EXPECT_FALSE(alert("thermal").silenced);
  EXPECT_EQ(last.lamp, Lamp::yellow);
  EXPECT_THAT(listener.take(), ElementsAre("fired thermal"));  // it still fires, and nobody was told
}

TEST_F(LifecycleTest, ASilencedAlertThatEndsWasNeverTold) {
  look();
  ASSERT_TRUE(andon->silence({}, 1h, "mara"));
  fire();
  heat(50);
  after(1s);
  EXPECT_THAT(alerts(), ElementsAre("thermal resolved warning 55"));
  EXPECT_THAT(listener.take(), IsEmpty());
}

TEST_F(LifecycleTest, ASilenceForWarningsEndsWhereItBecomesCritical) {
  look();
  ASSERT_TRUE(andon->silence({.level = AlertLevel::warning}, 1h, "mara"));
  fire();
  EXPECT_THAT(listener.take(), IsEmpty());
  heat(91);
  after(1s);
  EXPECT_THAT(listener.take(), ElementsAre("fired thermal"));
  EXPECT_EQ(last.lamp, Lamp::red);
}

TEST_F(LifecycleTest, ASilenceCanBeEnded) {
  look();
  const auto silence = andon->silence({}, 1h, "mara");
  fire();
  ASSERT_TRUE(andon->end_silence(silence->id));
  EXPECT_THAT(*andon->silences(), IsEmpty());
  after(1s);
  EXPECT_THAT(listener.take(), ElementsAre("fired thermal"));
}

TEST_F(LifecycleTest, SilencesOfTheConfigurationStandAsLongAsItSays) {
  remake({.silences = {{.rule = "thermal", .device = "GPU-*", .comment = "known"}}});
  fire();
  after(1000h);
  EXPECT_TRUE(alert("thermal").silenced);
  EXPECT_EQ(alert("thermal").silenced_until, std::nullopt);
  EXPECT_EQ(andon->silences()->at(0).comment, "known");
  andon->set({});
  after(1s);
  EXPECT_FALSE(alert("thermal").silenced);
  EXPECT_THAT(*andon->silences(), IsEmpty());
}

TEST_F(LifecycleTest, DevicesAreNamedByUuidPciAddressNameOrIndex) {
  struct Case {
    const char* device;
    bool silenced;
  };
  for (const auto& [name, silenced] :
       {Case{"GPU-a", true}, Case{"0000:01:00.0", true}, Case{"*H100*", true}, Case{"0", true}, Case{"1", false},
        Case{"GPU-b", false}, Case{"machine", false}}) {
    remake();
    heat(50);
    look();
    ASSERT_TRUE(andon->silence({.device = name}, 1h, "mara"));
    fire();
    EXPECT_EQ(alert("thermal").silenced, silenced) << name;
  }
}

TEST_F(LifecycleTest, SettingsChangeFromOneLookToTheNext) {
  fire();
  listener.take();
  andon->set({.rules = {{.rule = "thermal", .warning = 86}}});
  after(1s);
  EXPECT_TRUE(fires("thermal"));  // 85 is within the hysteresis of 86
  andon->set({.rules = {{.rule = "thermal", .devices = {"GPU-a"}, .enabled = false}}});
  after(1s);
  EXPECT_FALSE(fires("thermal"));
  EXPECT_THAT(listener.take(), ElementsAre("resolved thermal"));
}

TEST_F(LifecycleTest, RulesMayDifferFromDeviceToDevice) {
  add_gpu("GPU-b", "0000:02:00.0");
  remake({.rules = {{.rule = "thermal", .sustain = 0s}, {.rule = "thermal", .devices = {"GPU-b"}, .warning = 86}}});
  heat(85, 0);
  heat(85, 1);
  look();
  EXPECT_EQ(last.devices[0].lamp, Lamp::yellow);
  EXPECT_EQ(last.devices[1].lamp, Lamp::green);
}

TEST_F(LifecycleTest, ASwarmOfOneKindIsBounded) {
  std::vector<GpuProcess> swarm;
  ProcessFacts facts;
  facts.classification = {ProcessClass::mining, "miner-names", "its name", 0.9};
  for (int pid = 1; pid <= 100; ++pid) swarm.push_back(told(process(pid, "xmrig", 1), facts));
  set_processes(devices[0], swarm);
  look();
  after(10s);
  EXPECT_EQ(last.alerts->size(), AlertBook::kMostOfRule);
}

// Over restarts.

class RestartTest : public LifecycleTest {
 protected:
  RestartTest() { remake({}, store); }
  /// Ends it, which saves what waits, and begins another, `down` later.
  void restart(std::chrono::nanoseconds down = 10s) {
    andon.reset();
    passed += down;
    listener.take();
    remake({}, store);
  }
  std::shared_ptr<MemoryAlertStore> store = std::make_shared<MemoryAlertStore>();
};

TEST_F(RestartTest, WhatFiresIsNotRaisedAgain) {
  fire();
  const Alert before = alert("thermal");
  restart();
  look();
  Alert now = alert("thermal");
  EXPECT_EQ(now, before);
  EXPECT_THAT(listener.take(), IsEmpty());
  heat(50);
  after(1s);
  EXPECT_THAT(listener.take(), ElementsAre("resolved thermal"));
}

TEST_F(RestartTest, WhatHasEndedMeanwhileIsResolved) {
  fire();
  restart();
  heat(50);
  look();
  EXPECT_THAT(alerts(), ElementsAre("thermal resolved warning 55"));
  EXPECT_THAT(listener.take(), ElementsAre("resolved thermal"));
}

TEST_F(RestartTest, NumbersAreNotUsedAgain) {
  fire();
  restart();
  heat(50);
  look();
  fire();
  EXPECT_EQ(alert("thermal").id, "2");
}

TEST_F(RestartTest, AcknowledgementsAndSilencesGoOn) {
  fire();
  ASSERT_TRUE(andon->acknowledge("1", "mara", 2h, "soon"));
  const auto silence = andon->silence({.rule = "ecc"}, 3h, "mara");
  after(1s);
  restart(1h);
  look();
  EXPECT_EQ(alert("thermal").acknowledged_by, "mara");
  EXPECT_EQ(alert("thermal").comment, "soon");
  EXPECT_THAT(*andon->silences(), ElementsAre(*silence));
  after(1h);
  EXPECT_EQ(alert("thermal").acknowledged_by, "");
  EXPECT_EQ(andon->silences()->size(), 1U);
  EXPECT_EQ(andon->silence({}, 1h, "mara")->id, "2");
  after(1h);
  EXPECT_EQ(andon->silences()->size(), 0U);
}

TEST_F(RestartTest, WhatWasDoneByHandJustBeforeTheEndIsKept) {
  fire();
  ASSERT_TRUE(andon->acknowledge("1", "mara"));
  const auto kept = andon->silence({.rule = "ecc"}, 3h, "mara");
  const auto ended = andon->silence({.rule = "pcie_degraded"}, 3h, "mara");
  ASSERT_TRUE(andon->end_silence(ended->id));
  restart();  // without another look
  look();
  EXPECT_EQ(alert("thermal").acknowledged_by, "mara");
  EXPECT_THAT(*andon->silences(), ElementsAre(*kept));
  ASSERT_TRUE(andon->withdraw_acknowledgement("1"));
  restart();
  look();
  EXPECT_EQ(alert("thermal").acknowledged_by, "");
}

TEST_F(RestartTest, ASilenceThatEndedMeanwhileIsGone) {
  look();
  ASSERT_TRUE(andon->silence({}, 1h, "mara"));
  after(1s);
  restart(2h);
  look();
  EXPECT_EQ(andon->silences()->size(), 0U);
}

TEST_F(RestartTest, AnIdleGpuIsTimedOn) {
  reading().utilization = Percent(0);
  set_processes(devices[0], {process(42, "python3", 2'000)});
  look();
  after(400s);
  EXPECT_EQ(alert("idle").id, "1");
  restart(100s);
  look();
  EXPECT_EQ(alert("idle").message, "GPU 0 idle for 400 seconds (possible hang)");  // no longer than it was seen to be
  EXPECT_THAT(listener.take(), IsEmpty());
}

TEST_F(RestartTest, AHoarderIsTimedOn) {
  GpuProcess holds = process(42, "python3", 6'000);
  holds.utilization = Percent(0);
  set_processes(devices[0], {holds});
  look();
  after(5h);
  const std::string id = alert("hoarding").id;
  restart(1h);
  look();
  EXPECT_EQ(alert("hoarding").id, id);
  EXPECT_THAT(alert("hoarding").message, testing::HasSubstr("for 5 h without using"));
  EXPECT_THAT(listener.take(), IsEmpty());
}

TEST_F(RestartTest, ADeviceThatIsNotThereYetKeepsItsAlerts) {
  fire();
  restart();
  auto gone = devices;
  devices.clear();
  look();
  EXPECT_TRUE(fires("thermal"));
  devices = gone;
  after(5s);
  EXPECT_EQ(alert("thermal").id, "1");
  EXPECT_THAT(listener.take(), IsEmpty());
}

TEST_F(RestartTest, ARuleThatWasTurnedOffMeanwhileHasNoAlert) {
  fire();
  andon.reset();
  remake({.rules = {{.rule = "thermal", .enabled = false}}}, store);
  look();
  EXPECT_FALSE(fires("thermal"));
}

TEST_F(RestartTest, PendingAlertsAreNotKept) {
  heat(85);
  look();
  restart();
  look();
  after(1min);
  EXPECT_FALSE(fires("thermal"));
}

TEST_F(RestartTest, MadeUpDevicesAreNotKeptAmongRealOnes) {
  Device made_up = *devices[0].device;
  made_up.simulated = true;
  devices[0].device = std::make_shared<const Device>(made_up);
  fire();
  restart();
  EXPECT_THAT(store->memory().alerts, IsEmpty());
}

TEST_F(RestartTest, WhatAnotherScenarioMadeUpIsForgotten) {
  store = std::make_shared<MemoryAlertStore>(true);
  remake({}, store);
  Device made_up = *devices[0].device;
  made_up.simulated = true;
  devices[0].device = std::make_shared<const Device>(made_up);
  fire();
  restart();
  EXPECT_THAT(store->memory().alerts, SizeIs(1));
  auto same = devices;
  devices.clear();
  look();
  EXPECT_TRUE(fires("thermal"));  // nothing is listed yet
  made_up.id.text = "GPU-other";
  same[0].device = std::make_shared<const Device>(made_up);
  devices = same;
  heat(50);
  look();
  EXPECT_FALSE(fires("thermal"));
}

TEST_F(RestartTest, AStoreThatCannotBeReadIsNotWritten) {
  store->fail_with(Error{Errc::unavailable, "it is locked"});
  remake({}, store);
  fire();
  ASSERT_EQ(last.event_sources.size(), 1U);
  EXPECT_EQ(last.event_sources[0].name, "alerts");
  EXPECT_FALSE(last.event_sources[0].available);
  EXPECT_EQ(last.event_sources[0].message,
            "the alerts in memory cannot be read: it is locked; alerts are kept in memory until gpukeeper is started "
            "again");
  store->fail_with(std::nullopt);
  andon.reset();
  EXPECT_EQ(store->saves(), 0);
}

TEST_F(RestartTest, WhatTheStoreHasToSayIsSaid) {
  store->say("a damaged file was moved aside");
  look();
  ASSERT_EQ(last.event_sources.size(), 1U);
  EXPECT_TRUE(last.event_sources[0].available);
  EXPECT_EQ(last.event_sources[0].message, "a damaged file was moved aside");
}

TEST(AlertWriterTest, WhatFailsIsTriedAgainAndSaid) {
  auto store = std::make_shared<MemoryAlertStore>();
  store->fail_with(Error{Errc::resource_exhausted, "database or disk is full"});
  {
    AlertWriter writer(store);
    writer.put({.last_alert = 3});
    while (writer.message().empty()) std::this_thread::yield();  // its thread tries first
    EXPECT_EQ(
        writer.message(),
        "the alerts cannot be saved to memory: database or disk is full; they go on in memory, and are saved when "
        "that succeeds; free some space on that disk");
    EXPECT_EQ(writer.save_waiting(), 2s);
    EXPECT_EQ(writer.save_waiting(), 4s);
    store->fail_with(std::nullopt);
    writer.put({.last_alert = 4});
    EXPECT_EQ(writer.save_waiting(), std::nullopt);
    EXPECT_EQ(writer.message(), "");
  }
  EXPECT_EQ(store->memory().last_alert, 4U);
}

TEST(AlertWriterTest, TheEndSavesWhatWaits) {
  auto store = std::make_shared<MemoryAlertStore>();
  AlertWriter(store).put({.last_alert = 5});
  EXPECT_EQ(store->memory().last_alert, 5U);
}

}  // namespace
}  // namespace gpukeeper
