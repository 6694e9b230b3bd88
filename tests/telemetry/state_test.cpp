#include "telemetry/state.hpp"

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

Reading reading(std::optional<double> celsius, std::optional<double> memory_percent) {
  Reading r{Missing::not_supported};
  if (celsius) r.temperature = Celsius(*celsius);
  if (memory_percent) {
    r.memory_total = Bytes(100'000);
    r.memory_used = Bytes(static_cast<std::uint64_t>(*memory_percent * 1000));
  }
  return r;
}

TEST(StateTest, TheWorseOfTemperatureAndMemoryDecidesBordersIncluded) {
  const std::pair<double, State> temperatures[] = {
      {20, State::optimal},   {64.9, State::optimal},   {65, State::normal},   {74.9, State::normal},
      {75, State::throttled}, {84.9, State::throttled}, {85, State::critical}, {120, State::critical}};
  const std::pair<double, State> fills[] = {{0, State::optimal},   {69.9, State::optimal}, {70, State::normal},
                                            {84.9, State::normal}, {85, State::throttled}, {94.9, State::throttled},
                                            {95, State::critical}, {100, State::critical}};
  for (const auto& [celsius, by_temperature] : temperatures) {
    for (const auto& [percent, by_memory] : fills) {
      EXPECT_EQ(state_of(reading(celsius, percent)), std::max(by_temperature, by_memory))
          << celsius << " C, " << percent;
    }
  }
}

TEST(StateTest, AMissingAxisIsSkipped) {
  EXPECT_EQ(state_of(reading(80, {})), State::throttled);
  EXPECT_EQ(state_of(reading({}, 50)), State::optimal);
}

TEST(StateTest, TheHotspotGuardsADeviceThatHasNoOtherTemperature) {
  Reading accelerator = reading({}, 10);
  accelerator.temperature_hotspot = Celsius(96);
  EXPECT_EQ(state_of(accelerator), State::critical);
  accelerator.memory_total = accelerator.memory_used = missing(Missing::not_supported);
  accelerator.temperature_hotspot = Celsius(40);
  EXPECT_EQ(state_of(accelerator), State::optimal);
  Reading board = reading(60, 10);
  board.temperature_hotspot = Celsius(96);
  EXPECT_EQ(state_of(board), State::optimal) << "where there is an edge, the borders are meant for it";
  board.temperature = missing(Missing::failed);
  EXPECT_EQ(state_of(board), State::optimal) << "one failed reading does not change what is compared";
}

TEST(StateTest, WithoutAnyAxisNothingIsKnown) {
  EXPECT_EQ(state_of(reading({}, {})), State::unavailable);
  Reading zero = reading({}, {});
  zero.memory_used = Bytes(0);
  zero.memory_total = Bytes(0);
  EXPECT_EQ(state_of(zero), State::unavailable);
}

}  // namespace
}  // namespace gpukeeper
