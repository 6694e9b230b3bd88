#include "actuators/actuator_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(ActuatorSettingsTest, ByDefaultNothingIsChanged) {
  EXPECT_FALSE(ActuatorSettings().any());
  EXPECT_THAT(check(ActuatorSettings()), IsEmpty());
}

TEST(ActuatorSettingsTest, EachMistakeIsNamed) {
  ActuatorSettings settings;
  settings.power_limit_lowest = Percent(5);
  settings.fan_slow = Percent(90);
  settings.max_pause = 10min;
  settings.freeze = true;
  EXPECT_THAT(check(settings),
              ElementsAre("actuators.power_limit_lowest: 5 is not from 10 to 100 (percent)",
                          "actuators.fan_fast: 85 is below fan_slow (90), which is meant for less heat",
                          "actuators.max_pause: 600 s is not from 1 to 300 s",
                          "actuators.freeze: true without freeze_cgroups: name the control groups that may be frozen, "
                          "such as /user.slice/*/training.scope"));
}

TEST(ActuatorSettingsTest, TheTopmostGroupIsNeverFrozen) {
  for (const std::string group : {"/", "/*", "/**", "/*/*", "*", "", "user.slice"}) {
    ActuatorSettings settings;
    settings.freeze = true;
    settings.freeze_cgroups = {group};
    EXPECT_THAT(check(settings), ElementsAre("actuators.freeze_cgroups: '" + group +
                                             "' is no control group below the topmost: it begins with / and names one "
                                             "or more, such as /user.slice/*/training.scope"));
  }
}

}  // namespace
}  // namespace gpukeeper
