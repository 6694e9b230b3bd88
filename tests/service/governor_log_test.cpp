#include "service/governor_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/governed_machine.hpp"

namespace gpukeeper::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class GovernorLogTest : public testing::Test {
 protected:
  // What is said of the tick that has just been governed.
  std::vector<std::string> said() {
    for (const GovernorEvent& event : machine_.all_events()) governed_.note(event);
    static_cast<void>(machine_.events());
    return target_->take();
  }
  std::vector<std::string> at(double celsius) {
    machine_.at(celsius);
    return said();
  }

  FakeClock clock_;
  const std::shared_ptr<FakeLogTarget> target_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, target_};
  GovernorLog governed_{log_};
  GovernedMachine machine_;
};

TEST_F(GovernorLogTest, AChangeOfStateSaysWhatDecidesIt) {
  EXPECT_THAT(at(50), IsEmpty());
  EXPECT_THAT(at(80), ElementsAre("info: GPU 0 (NVIDIA H200, GPU-a): throttled, was optimal; work should go at 50 % of "
                                  "its speed: 80 °C, above 75 °C (temp_normal)"));
  EXPECT_THAT(at(80), IsEmpty());
  EXPECT_THAT(at(91), ElementsAre("info: GPU 0 (NVIDIA H200, GPU-a): critical, was throttled; work should pause: 91 "
                                  "°C, above 90 °C (temp_critical): an emergency",
                                  "warning: GPU 0 (NVIDIA H200, GPU-a): overheats: 91 °C, above 90 °C "
                                  "(temp_critical): an emergency"));
}

TEST_F(GovernorLogTest, WhatGoesAndComesIsSaidElsewhere) {
  at(50);
  machine_.lose();
  machine_.tick();
  EXPECT_THAT(said(), IsEmpty());
  machine_.find_again(50);
  machine_.tick();
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(GovernorLogTest, AnApplicationThatIsYieldedToIsNamed) {
  GovernorSettings settings;
  settings.yield.enabled = settings.yield.any = true;
  machine_.governor().configure(settings);
  machine_.device().processes =
      std::make_shared<const std::vector<GpuProcess>>(1, GpuProcess{.pid = 4711, .name = "quake"});
  machine_.tick();
  EXPECT_THAT(said(), ElementsAre("info: GPU 0 (NVIDIA H200, GPU-a): work should go at 50 % of its speed: pid 4711 "
                                  "(quake) uses it and is not ours: unknown"));
  machine_.device().processes = std::make_shared<const std::vector<GpuProcess>>();
  machine_.tick();
  EXPECT_THAT(said(), ElementsAre("info: GPU 0 (NVIDIA H200, GPU-a): the application that is not ours has left it; "
                                  "work may go at full speed"));
}

}  // namespace
}  // namespace gpukeeper::service
