#include "service/state_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StateLogTest : public testing::Test {
 protected:
  std::vector<std::string> look(const Snapshot& snapshot) {
    states_.look(snapshot);
    return target_->take();
  }

  FakeClock clock_;
  const std::shared_ptr<FakeLogTarget> target_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, target_};
  StateLog states_{log_};
};

TEST_F(StateLogTest, ChangesAreSaidOnce) {
  EXPECT_THAT(look({}), IsEmpty());  // nothing was looked at yet
  Snapshot snapshot = machine({device(0, facts("GPU-a", "H100", "0000:01:00.0"), busy())});
  snapshot.devices[0].throttling.state = State::optimal;
  EXPECT_THAT(look(snapshot), ElementsAre("info: source nvml: 1 devices", "info: GPU 0 (H100, GPU-a): found, optimal"));
  EXPECT_THAT(look(snapshot), IsEmpty());

  snapshot.devices[0].throttling.state = State::throttled;
  EXPECT_THAT(look(snapshot), IsEmpty()) << "that is the governor's to tell";

  snapshot.devices[0].available = false;
  snapshot.devices[0].reason = "it fell off the bus";
  EXPECT_THAT(look(snapshot), ElementsAre("warning: GPU 0 (H100, GPU-a): not available: it fell off the bus"));
  snapshot.devices[0].reason = "it fell off the bus 5 s ago";
  EXPECT_THAT(look(snapshot), IsEmpty());

  snapshot.devices[0].available = true;
  snapshot.devices[0].throttling.state = State::normal;
  EXPECT_THAT(look(snapshot), ElementsAre("info: GPU 0 (H100, GPU-a): available again, normal"));
}

TEST_F(StateLogTest, AFailingSourceIsAWarningAndItsReturnIsNot) {
  Snapshot snapshot = machine({});
  snapshot.sources = {{"nvml", false, "the driver was updated", 0}};
  EXPECT_THAT(look(snapshot), ElementsAre("warning: source nvml: not available: the driver was updated"));
  EXPECT_THAT(look(snapshot), IsEmpty());
  snapshot.sources = {{"nvml", true, "", 2}};
  EXPECT_THAT(look(snapshot), ElementsAre("info: source nvml: available again, 2 devices"));
}

TEST_F(StateLogTest, WhatFailsInGpukeeperItselfIsAnErrorUntilItWorksAgain) {
  const auto see = [&](const EngineTrouble& trouble) {
    states_.look(trouble);
    return target_->take();
  };
  EXPECT_THAT(see({}), IsEmpty());
  EXPECT_THAT(see({.count = 1, .last = "the governor: broken", .lasting = true}),
              ElementsAre("error: gpukeeper itself fails: the governor: broken"));
  EXPECT_THAT(see({.count = 2, .last = "the governor: broken", .lasting = true}), IsEmpty())
      << "once a minute is enough";
  EXPECT_THAT(see({.count = 3, .last = "the alerts: broken", .lasting = true}),
              ElementsAre("error: gpukeeper itself fails: the alerts: broken"));
  EXPECT_THAT(see({.count = 3, .last = "the alerts: broken"}),
              ElementsAre("info: gpukeeper works again; 3 steps have failed"));
  EXPECT_THAT(see({.count = 3, .last = "the alerts: broken"}), IsEmpty());
  EXPECT_THAT(see({.count = 4, .last = "the alerts: broken", .lasting = true}), IsEmpty()) << "said a moment ago";
  EXPECT_THAT(see({}), IsEmpty()) << "the engine has ended";
}

TEST_F(StateLogTest, SleepIsNoWarningAndMadeUpDevicesAreLabelled) {
  Reading sleeping{Missing::asleep};
  sleeping.attention = Attention::asleep;
  auto sleeper = device(0, facts("AMD-c", "Navi", "0000:03:00.0"), sleeping, State::unavailable);
  sleeper.available = false;
  sleeper.reason = "asleep";
  Snapshot snapshot = simulated_gpu();
  snapshot.sources.clear();
  snapshot.devices[0].throttling.state = State::optimal;
  snapshot.devices.push_back(sleeper);
  EXPECT_THAT(look(snapshot), ElementsAre("info: GPU 0 (NVIDIA GeForce RTX 4090, GPU-sim, simulated): found, optimal",
                                          "info: GPU 0 (Navi, AMD-c): asleep"));
}

}  // namespace
}  // namespace gpukeeper::service
