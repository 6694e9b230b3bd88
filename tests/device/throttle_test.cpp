#include "device/throttle.hpp"

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

TEST(ThrottleTest, IdleAndSettingsAreNotTrouble) {
  ThrottleReasons reasons(Throttle::idle);
  reasons.add(Throttle::application_clocks);
  EXPECT_FALSE(reasons.slowed());
  reasons.add(Throttle::hardware_thermal);
  EXPECT_TRUE(reasons.slowed());
  EXPECT_EQ(reasons.to_string(), "idle, application clocks, hardware thermal slowdown");
}

TEST(ThrottleTest, NothingIsNone) {
  EXPECT_EQ(ThrottleReasons().to_string(), "none");
}

}  // namespace
}  // namespace gpukeeper
