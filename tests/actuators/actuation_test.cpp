#include "actuators/actuation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_actuators.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/snapshots.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class ActuationTest : public testing::Test {
 protected:
  ActuationTest() {
    settings_.power_limit = settings_.freeze = true;
    settings_.freeze_cgroups = {"/train"};
    world_.values[power_] = "1000";
    begin();
  }

  void begin(const std::string& boot = "boot-1") {
    actuation_.reset();
    actuation_ = std::make_unique<Actuation>(factory_, ChangeJournal::open(path_).value(), clock_, boot, log_);
    actuation_->recover();
  }

  /// One second with this advice.
  void act(double multiplier, ThrottleCause cause = ThrottleCause::thermal) { act({{"GPU-a", multiplier}}, cause); }
  void act(const std::map<std::string, double>& advice, ThrottleCause cause = ThrottleCause::thermal) {
    Snapshot snapshot;
    snapshot.monotonic = clock_->now();
    for (const auto& [id, multiplier] : advice) {
      auto d = device(0, facts(id, "NVIDIA H100", "0000:01:00.0"), busy());
      d.available = multiplier >= 0;
      if (multiplier >= 0 && multiplier < 1) {
        d.throttling.requests.push_back({cause, multiplier, "84 °C, above 75 °C", {}, {}});
      }
      snapshot.devices.push_back(std::move(d));
    }
    actuation_->act(snapshot, settings_, 10s);
    clock_->advance(1s);
  }
  void act_for(std::chrono::seconds length, const std::map<std::string, double>& advice) {
    for (auto at = 0s; at < length; at += 1s) act(advice);
  }
  void act_for(std::chrono::seconds length, double multiplier, ThrottleCause cause = ThrottleCause::thermal) {
    for (auto at = 0s; at < length; at += 1s) act(multiplier, cause);
  }
  std::string power() { return world_.values[power_]; }

  const ActuatorName power_{ActuatorKind::power_limit, {"GPU-a"}, "nvml"};
  const ActuatorName group_{ActuatorKind::freeze, {"GPU-a"}, "/sys/fs/cgroup/train"};
  TemporaryFolder folder_;
  const std::string path_ = (folder_.path() / "changes").string();
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  const std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{*clock_, lines_};
  FakeSettings world_;
  const std::shared_ptr<FakeActuators> factory_ = std::make_shared<FakeActuators>(world_);
  ActuatorSettings settings_;
  std::unique_ptr<Actuation> actuation_;
};

TEST_F(ActuationTest, WithoutAdviceNothingIsTouched) {
  world_.looking = Error{Errc::internal, "nobody may look"};
  act_for(10s, 1);
  EXPECT_THAT(actuation_->reports(), IsEmpty());
  EXPECT_THAT(lines_->take(), IsEmpty());
}

TEST_F(ActuationTest, SlowerAtOnceFasterSlowlyAndBackAgain) {
  act(0.8);
  EXPECT_EQ(power(), "800");
  act(0.5);
  EXPECT_EQ(power(), "800");  // two seconds between two changes
  act(0.5);
  EXPECT_EQ(power(), "500");
  act_for(14s, 0.8);
  EXPECT_EQ(power(), "500");
  act_for(2s, 0.8);
  EXPECT_EQ(power(), "800");
  act_for(13s, 1);
  EXPECT_EQ(power(), "800");
  act_for(2s, 1);
  EXPECT_EQ(power(), "1000");
  EXPECT_THAT(world_.changes, ElementsAre("800", "500", "800", "1000"));
  EXPECT_THAT(actuation_->reports(), IsEmpty());
  // The log leaves out what it said less than a minute ago.
  EXPECT_THAT(lines_->take(), ElementsAre("info: power_limit of GPU-a (nvml): 800, was 1000: 84 °C, above 75 °C",
                                          "info: power_limit of GPU-a (nvml): 500, was 1000: 84 °C, above 75 °C",
                                          "info: power_limit of GPU-a (nvml): 1000 again: its cause has gone"));
}

TEST_F(ActuationTest, AFullMemoryLowersNoPowerLimit) {
  act_for(5s, 0, ThrottleCause::memory);
  act_for(5s, 0.8, ThrottleCause::missing_sensor);
  EXPECT_THAT(world_.changes, IsEmpty());
}

TEST_F(ActuationTest, AFanFollowsHeatOnly) {
  Throttling throttling;
  throttling.requests = {{ThrottleCause::operator_request, 0, "asked for", {}, {}},
                         {ThrottleCause::thermal, 0.8, "76 °C", {}, {}}};
  EXPECT_EQ(advice_for(ActuatorKind::fan, throttling).multiplier, 0.8);
  EXPECT_EQ(advice_for(ActuatorKind::fan, throttling).reason, "76 °C");
  EXPECT_EQ(advice_for(ActuatorKind::power_limit, throttling).multiplier, 0);
}

TEST_F(ActuationTest, WhatTheSettingsDoNotAllowIsNotDoneAndIsGivenBack) {
  settings_.power_limit = false;
  act_for(5s, 0.5);
  EXPECT_THAT(world_.changes, IsEmpty());
  settings_.power_limit = true;
  act(0.5);
  EXPECT_EQ(power(), "500");
  settings_.power_limit = false;
  act_for(17s, 0.5);
  EXPECT_EQ(power(), "1000");
}

TEST_F(ActuationTest, OnlyTheDevicesThatAreMeant) {
  settings_.devices = {"*A100*"};
  act_for(5s, 0.5);
  EXPECT_THAT(world_.changes, IsEmpty());
  settings_.devices = {"*A100*", "nvidia h1*"};
  act(0.5);
  EXPECT_EQ(power(), "500");
}

TEST_F(ActuationTest, AtTheEndEverythingIsGivenBackAtOnce) {
  act(0.5);
  actuation_->give_all_back();
  EXPECT_EQ(power(), "1000");
  EXPECT_THAT(ChangeJournal::open(path_)->held(), IsEmpty());
}

TEST_F(ActuationTest, ACrashIsMadeGoodByTheNextStart) {
  act(0.5);
  lines_->take();
  begin();
  EXPECT_EQ(power(), "1000");
  EXPECT_THAT(ChangeJournal::open(path_)->held(), IsEmpty());
  EXPECT_THAT(lines_->take(), ElementsAre("info: power_limit of GPU-a (nvml): 1000 again: left by a process that ended "
                                          "without giving it back"));
}

TEST_F(ActuationTest, AfterARebootThereIsNothingToGiveBack) {
  act(0.5);
  world_.values[power_] = "700";  // set by somebody in this boot
  begin("boot-2");
  EXPECT_EQ(power(), "700");
  EXPECT_THAT(ChangeJournal::open(path_)->held(), IsEmpty());
}

TEST_F(ActuationTest, WhatSomebodyElseHasSetMeanwhileStays) {
  act(0.5);
  lines_->take();
  world_.values[power_] = "650";
  actuation_->give_all_back();
  EXPECT_EQ(power(), "650");
  EXPECT_THAT(lines_->take(),
              ElementsAre("warning: power_limit of GPU-a (nvml): it is 650, not 500 as we set it: somebody "
                          "else has changed it, and we leave it"));
}

TEST_F(ActuationTest, WhatSomebodyElseSetsIsTheirsWhileTheCauseLasts) {
  act(0.5);
  lines_->take();
  world_.values[power_] = "650";
  act_for(60s, 0.5);
  EXPECT_EQ(power(), "650");
  EXPECT_EQ(lines_->take().size(), 1U);
  ASSERT_EQ(actuation_->reports().size(), 1U);
  EXPECT_EQ(actuation_->reports()[0].set, "");
  EXPECT_EQ(actuation_->reports()[0].message,
            "it is 650, not 500 as we set it: somebody else has changed it, and we leave it");
  act(1);
  EXPECT_THAT(actuation_->reports(), IsEmpty());
  act(0.8);  // a new cause
  EXPECT_EQ(power(), "520");
}

TEST_F(ActuationTest, WhatIsReportedIsWhatIsSoAndNotTheWish) {
  act(0.5);
  ASSERT_EQ(actuation_->reports().size(), 1U);
  EXPECT_EQ(actuation_->reports()[0].effective, "500");
  EXPECT_EQ(actuation_->reports()[0].found, "1000");
  EXPECT_EQ(actuation_->reports()[0].set, "500");
  EXPECT_EQ(actuation_->reports()[0].reason, "84 °C, above 75 °C");
  world_.looking = Error{Errc::unavailable, "the driver does not answer"};
  act_for(11s, 0.5);
  EXPECT_EQ(actuation_->reports()[0].effective, "");
}

TEST_F(ActuationTest, NewSettingsGiveEverythingBackFirst) {
  act(0.5);
  lines_->take();
  settings_.pause_up = 20s;
  act(0.5);
  EXPECT_THAT(world_.changes, ElementsAre("500", "1000", "500"));
  EXPECT_EQ(lines_->take().front(), "info: power_limit of GPU-a (nvml): 1000 again: the configuration has changed");
}

TEST_F(ActuationTest, ADeviceThatIsAwayGetsItsValueBackWhenItReturns) {
  act(0.5);
  const auto value = world_.values.extract(power_);
  begin();
  ASSERT_EQ(actuation_->reports().size(), 1U);
  EXPECT_EQ(actuation_->reports()[0].message, "the device is not there, so what was changed cannot be given back yet");
  world_.values[power_] = value.mapped();
  act_for(2s, 1);
  EXPECT_EQ(power(), "1000");
}

TEST_F(ActuationTest, WithoutPermissionItSaysSoOnceAndOnlyAdvises) {
  world_.setting =
      Error{Errc::not_permitted, "set the power limit: no permission; run gpukeeper as root to let it do so"};
  act_for(600s, 0.5);
  EXPECT_EQ(power(), "1000");
  EXPECT_THAT(lines_->take(),
              ElementsAre("warning: power_limit of GPU-a (nvml): set the power limit: no permission; run gpukeeper as "
                          "root to let it do so; until it works we only advise"));
  EXPECT_THAT(ChangeJournal::open(path_)->held(), IsEmpty());
  world_.setting.reset();
  act_for(700s, 0.5);  // the pauses have grown
  EXPECT_EQ(power(), "500");
}

TEST_F(ActuationTest, WhatCannotBeGivenBackIsTriedAgainAndAfterARestart) {
  act(0.5);
  lines_->take();
  world_.setting = Error{Errc::unavailable, "the driver does not answer"};
  actuation_->give_all_back();
  EXPECT_EQ(lines_->take().front(),
            "error: power_limit of GPU-a (nvml): 1000 cannot be given back: the driver does not answer");
  EXPECT_EQ(ChangeJournal::open(path_)->held().size(), 1U);
  world_.setting.reset();
  begin();
  EXPECT_EQ(power(), "1000");
}

TEST_F(ActuationTest, AFreezeHasAnEndAndDoesNotComeBackByItself) {
  world_.values = {{group_, "1000"}};
  act(0);
  EXPECT_EQ(world_.values[group_], "0");
  act_for(119s, 0);
  EXPECT_EQ(world_.values[group_], "0");
  lines_->take();
  act(0);
  EXPECT_EQ(world_.values[group_], "1000");
  EXPECT_THAT(lines_->take(),
              ElementsAre("info: freeze of GPU-a (/sys/fs/cgroup/train): 1000 again: it stood still for "
                          "as long as max_pause allows; its cause lasts"));
  act_for(300s, 0);
  EXPECT_EQ(world_.changes.size(), 2U);
  act(1);
  act(0);  // a new cause
  EXPECT_EQ(world_.values[group_], "0");
}

TEST_F(ActuationTest, AFreezeEndsWithItsCause) {
  world_.values = {{group_, "1000"}};
  act(0);
  act(0.5);
  EXPECT_EQ(world_.values[group_], "1000");
}

TEST_F(ActuationTest, OnlyHeatAndAPersonFreeze) {
  world_.values = {{group_, "1000"}};
  act_for(5s, 0, ThrottleCause::foreign_application);
  act_for(5s, 0, ThrottleCause::power);
  EXPECT_THAT(world_.changes, IsEmpty());
  act(0, ThrottleCause::operator_request);
  EXPECT_EQ(world_.values[group_], "0");
}

TEST_F(ActuationTest, AStandstillWaitsForNoPause) {
  settings_.pause_down = 1h;
  act(0.8);
  act_for(5s, 0.5);
  EXPECT_EQ(power(), "800");
  act(0);
  EXPECT_EQ(power(), "0");
}

TEST_F(ActuationTest, AStandstillIsTriedAgainSoonWhateverFailedBefore) {
  world_.setting = Error{Errc::unavailable, "the driver does not answer"};
  act_for(600s, 0.8);
  world_.setting.reset();
  act_for(11s, 0);
  EXPECT_EQ(power(), "0");
}

TEST_F(ActuationTest, WithoutFreshReadingsEverythingIsGivenBack) {
  world_.values[group_] = "1000";
  act(0);
  lines_->take();
  Snapshot old;
  old.monotonic = clock_->now();
  auto d = device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), busy());
  d.throttling.requests.push_back({ThrottleCause::thermal, 0, "84 °C, above 75 °C", {}, {}});
  old.devices.push_back(std::move(d));
  for (int second = 0; second <= 10; ++second) {
    actuation_->act(old, settings_, 10s);
    EXPECT_EQ(power(), "0") << second;
    clock_->advance(1s);
  }
  for (int second = 11; second < 60; ++second) {
    actuation_->act(old, settings_, 10s);
    EXPECT_EQ(power(), "1000") << second;
    EXPECT_EQ(world_.values[group_], "1000") << second;
    clock_->advance(1s);
  }
  EXPECT_THAT(
      lines_->take(),
      ElementsAre("info: power_limit of GPU-a (nvml): 1000 again: the GPUs were last read 11 s ago",
                  "info: freeze of GPU-a (/sys/fs/cgroup/train): 1000 again: the GPUs were last read 11 s ago"));
}

TEST_F(ActuationTest, WhatWasSetThoughItFailedAndCannotBeGivenBackIsHeldUntilItCan) {
  world_.setting = Error{Errc::unavailable, "the driver does not answer"};
  world_.sets_though = true;
  world_.giving = Error{Errc::unavailable, "the driver hangs"};
  act(0.5);
  EXPECT_EQ(power(), "500");
  ASSERT_EQ(ChangeJournal::open(path_)->held().size(), 1U);
  ASSERT_EQ(actuation_->reports().size(), 1U);
  EXPECT_EQ(actuation_->reports()[0].set, "500");
  act_for(60s, 1);
  EXPECT_EQ(ChangeJournal::open(path_)->held().size(), 1U);
  world_.setting.reset();
  world_.giving.reset();
  act_for(11s, 1);
  EXPECT_EQ(power(), "1000");
  EXPECT_THAT(ChangeJournal::open(path_)->held(), IsEmpty());
}

TEST_F(ActuationTest, WhatWasSetThoughItFailedIsGivenBackByTheNextStart) {
  world_.setting = Error{Errc::unavailable, "the driver does not answer"};
  world_.sets_though = true;
  world_.giving = Error{Errc::unavailable, "the driver hangs"};
  act(0.5);
  actuation_->give_all_back();
  EXPECT_EQ(power(), "500");
  world_.setting.reset();
  world_.giving.reset();
  begin();
  EXPECT_EQ(power(), "1000");
}

TEST_F(ActuationTest, WhatIsBeingGivenBackIsTriedAgainWithGrowingPauses) {
  act(0.5);
  lines_->take();
  world_.giving = Error{Errc::unavailable, "the driver hangs"};
  act_for(60s, 1);
  EXPECT_THAT(lines_->take(),
              ElementsAre("error: power_limit of GPU-a (nvml): 1000 cannot be given back: the driver hangs"));
  world_.giving.reset();
  act_for(11s, 0.5);  // a new cause waits until it is
  EXPECT_THAT(world_.changes, ElementsAre("500", "1000", "500"));
}

// Between a line of the journal and its change a process can end: then the value before is ours.
TEST_F(ActuationTest, ACrashBeforeASecondChangeIsMadeGoodToo) {
  act(0.8);
  {
    auto journal = ChangeJournal::open(path_).value();
    HeldChange next = journal.held().front();
    next.set = "500";
    ASSERT_TRUE(journal.will_change(next));
  }
  begin();
  EXPECT_EQ(power(), "1000");
}

TEST_F(ActuationTest, ACrashBeforeTheFirstChangeLeftNothing) {
  {
    auto journal = ChangeJournal::open(path_).value();
    ASSERT_TRUE(journal.will_change({power_, "1000", "500", "", "84 °C, above 75 °C", "boot-1", clock_->wall()}));
  }
  begin();
  EXPECT_THAT(world_.changes, IsEmpty());
  EXPECT_THAT(lines_->take(), IsEmpty());
  EXPECT_THAT(ChangeJournal::open(path_)->held(), IsEmpty());
}

/// A control group with processes on eight devices, as of a job that a launcher started.
class SharedGroupTest : public ActuationTest {
 protected:
  SharedGroupTest() {
    world_.values = {{group_, "1000"}};
    for (int i = 0; i < 8; ++i) world_.also_on[group_.place].insert({"GPU-" + std::to_string(i)});
  }
  bool frozen() { return world_.values[group_] == "0"; }
  static std::map<std::string, double> all(double multiplier) {
    std::map<std::string, double> result;
    for (int i = 0; i < 8; ++i) result["GPU-" + std::to_string(i)] = multiplier;
    return result;
  }
  static std::map<std::string, double> two(double first, double second) {
    return {{"GPU-0", first}, {"GPU-1", second}};
  }
};

TEST_F(SharedGroupTest, ItStandsStillOnceHoweverManyDevicesAreHot) {
  act(all(0));
  EXPECT_TRUE(frozen());
  EXPECT_EQ(actuation_->reports().size(), 1U);
  EXPECT_EQ(ChangeJournal::open(path_)->held().size(), 1U);
  act_for(119s, all(0));
  EXPECT_TRUE(frozen());
  act_for(1000s, all(0));
  EXPECT_THAT(world_.changes, ElementsAre("0", "1000"));
}

TEST_F(SharedGroupTest, ADeviceThatGetsHotLaterAddsNothing) {
  act_for(100s, two(0, 0.5));
  act_for(20s, two(0.5, 0));
  EXPECT_TRUE(frozen());  // 120 s in all
  act_for(1000s, two(0.5, 0));
  EXPECT_THAT(world_.changes, ElementsAre("0", "1000"));
}

TEST_F(SharedGroupTest, ItFollowsTheStrictestOfItsDevices) {
  act(two(0.5, 0.8));
  EXPECT_FALSE(frozen());
  act(two(0.5, 0));
  EXPECT_TRUE(frozen());
  act(two(1, 0));
  EXPECT_TRUE(frozen());
  act(two(1, 0.5));
  EXPECT_FALSE(frozen());
}

TEST_F(SharedGroupTest, ItIsNotFrozenAgainUntilAllItsDevicesWereFree) {
  act_for(121s, two(0, 0));
  EXPECT_FALSE(frozen());
  act_for(10s, two(1, 0.5));
  act_for(10s, two(0, 0));
  EXPECT_FALSE(frozen());
  act_for(10s, two(1, -1));  // one that does not answer may be as hot as before
  act_for(10s, two(0, 0));
  EXPECT_FALSE(frozen());
  act(two(1, 1));
  act(two(1, 0));
  EXPECT_TRUE(frozen());
}

TEST_F(SharedGroupTest, ItMayBeFrozenOnlyWhereItIsMeant) {
  settings_.devices = {"GPU-1"};
  act(two(0, 1));
  EXPECT_FALSE(frozen());
  act(two(0, 0));
  EXPECT_TRUE(frozen());
}

TEST_F(SharedGroupTest, OneThatCannotBeThawedIsTriedAgainSoonAndThenLeftRunning) {
  act_for(120s, all(0));
  world_.giving = Error{Errc::internal, "write cgroup.freeze: Input/output error"};
  act_for(600s, all(0));
  EXPECT_TRUE(frozen());
  world_.giving.reset();
  act_for(11s, all(0));
  EXPECT_FALSE(frozen());
  act_for(600s, all(0));
  EXPECT_THAT(world_.changes, ElementsAre("0", "1000"));
}

TEST_F(SharedGroupTest, OtherSettingsDoNotBeginAnotherPause) {
  act_for(60s, all(0));
  settings_.freeze_cgroups.emplace_back("/other");
  act_for(60s, all(0));
  EXPECT_TRUE(frozen());
  settings_.pause_up = 20s;
  act_for(1000s, all(0));
  EXPECT_THAT(world_.changes, ElementsAre("0", "1000"));
}

TEST_F(SharedGroupTest, SettingsThatForbidItThawIt) {
  act(all(0));
  settings_.freeze = false;
  act(all(0));
  EXPECT_FALSE(frozen());
}

}  // namespace
}  // namespace gpukeeper
