#include "telemetry/overall.hpp"

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

DeviceSnapshot governed(State state, double speed) {
  DeviceSnapshot device;
  device.throttling.state = state;
  device.throttling.speed_multiplier = speed;
  return device;
}

TEST(OverallTest, TheWorstStateAndTheSlowestPaceAreTheWhole) {
  Snapshot snapshot;
  EXPECT_EQ(overall_governed_state(snapshot), State::unavailable);
  EXPECT_EQ(overall_speed(snapshot), 1);
  snapshot.devices = {governed(State::normal, 0.8), governed(State::optimal, 0.5)};
  EXPECT_EQ(overall_governed_state(snapshot), State::normal);
  EXPECT_EQ(overall_speed(snapshot), 0.5);
}

TEST(OverallTest, ASleepingDeviceDoesNotCountALostOneDoes) {
  Snapshot snapshot;
  snapshot.devices = {governed(State::normal, 0.8), governed(State::unavailable, 1)};
  EXPECT_EQ(overall_governed_state(snapshot), State::unavailable);
  snapshot.devices[1].reading.attention = Attention::asleep;
  EXPECT_EQ(overall_governed_state(snapshot), State::normal);
}

}  // namespace
}  // namespace gpukeeper
