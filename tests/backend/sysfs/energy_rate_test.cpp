#include "backend/sysfs/energy_rate.hpp"

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

const auto kNothing = Metric<Watts>(missing(Missing::not_yet_read));
const MonotonicTime kStart{1h};

TEST(EnergyRateTest, PowerIsEnergyOverTheTimeBetweenTwoReadings) {
  EnergyRate rate;
  EXPECT_EQ(rate.update(kStart, 5'000'000), kNothing);
  EXPECT_EQ(rate.update(kStart + 2s, 105'000'000), Watts(50));
  EXPECT_EQ(rate.update(kStart + 3s, 135'000'000), Watts(30));
}

TEST(EnergyRateTest, ACounterThatStandsStillIsNoPowerOfZero) {
  EnergyRate rate;
  EXPECT_EQ(rate.update(kStart, 1'000'000), kNothing);
  EXPECT_EQ(rate.update(kStart + 1s, 1'000'000), kNothing);
  EXPECT_EQ(rate.update(kStart + 2s, 41'000'000), Watts(20)) << "over both seconds";
}

TEST(EnergyRateTest, ACounterThatWasSetBackStartsOver) {
  EnergyRate rate;
  EXPECT_EQ(rate.update(kStart, 4'294'000'000), kNothing);
  EXPECT_EQ(rate.update(kStart + 1s, 1'000'000), kNothing);
  EXPECT_EQ(rate.update(kStart + 2s, 26'000'000), Watts(25));
}

TEST(EnergyRateTest, AJumpThatNoBoardCanMakeIsNoPower) {
  EnergyRate rate;
  EXPECT_EQ(rate.update(kStart, 0), kNothing);
  EXPECT_EQ(rate.update(kStart + 1s, 1'000'000'000'000), kNothing);
  EXPECT_EQ(rate.update(kStart + 2s, 1'000'030'000'000), Watts(30));
}

TEST(EnergyRateTest, TwoReadingsAtOneInstantAreOne) {
  EnergyRate rate;
  EXPECT_EQ(rate.update(kStart, 1), kNothing);
  EXPECT_EQ(rate.update(kStart, 2'000'000), kNothing);
  EXPECT_EQ(rate.update(kStart + 1s, 10'000'001), Watts(10));
}

TEST(EnergyRateTest, WhatWasReadBeforeASleepIsForgotten) {
  EnergyRate rate;
  EXPECT_EQ(rate.update(kStart, 1), kNothing);
  rate.reset();
  EXPECT_EQ(rate.update(kStart + 1s, 5'000'000), kNothing);
}

TEST(ResidencyRateTest, TheShareIsTimeInTheStateOverTimeBetween) {
  ResidencyRate rate;
  const auto nothing = Metric<Percent>(missing(Missing::not_yet_read));
  EXPECT_EQ(rate.update(kStart, 10s), nothing);
  EXPECT_EQ(rate.update(kStart + 4s, 11s), Percent(25));
  EXPECT_EQ(rate.update(kStart + 5s, 11s), Percent(0));
  EXPECT_EQ(rate.update(kStart + 6s, 12s + 5ms), Percent(100)) << "counters round";
  EXPECT_EQ(rate.update(kStart + 7s, 1s), nothing) << "set back";
}

}  // namespace
}  // namespace gpukeeper
