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
  void act(double multiplier, ThrottleCause cause = ThrottleCause::thermal) {
    Snapshot snapshot;
    auto d = device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), busy());
    if (multiplier < 1) d.throttling.requests.push_back({cause, multiplier, "84 °C, above 75 °C", {}, {}});
    snapshot.devices.push_back(std::move(d));
    actuation_->act(snapshot, settings_);
    clock_->advance(1s);
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

}  // namespace
}  // namespace gpukeeper
