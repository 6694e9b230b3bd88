#include "backend/nvml/counter_rate.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::nvml {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kStart{1h};
constexpr double kGen5x16 = 3938.5e6 * 16;
constexpr double kGen1x1 = 250e6;
const Metric<BytesPerSecond> kNotYet = missing(Missing::not_yet_read);
const Metric<BytesPerSecond> kUnknowable = missing(Missing::not_supported);

TEST(CounterRateTest, TheFirstReadingHasNoRate) {
  EXPECT_EQ(CounterRate().update(1000, 64, kGen5x16, kStart), kNotYet);
}

TEST(CounterRateTest, ARateIsTheDifferenceOverTheTimeBetween) {
  CounterRate rate;
  (void)rate.update(1000, 64, kGen5x16, kStart);
  EXPECT_EQ(rate.update(5000, 64, kGen5x16, kStart + 2s), BytesPerSecond(2000));
  EXPECT_EQ(rate.update(5000, 64, kGen5x16, kStart + 3s), BytesPerSecond(0));
}

TEST(CounterRateTest, ANarrowCounterThatGoesRoundOnceIsUnderstood) {
  CounterRate rate;
  (void)rate.update(0xffffff00, 32, kGen1x1, kStart);
  EXPECT_EQ(rate.update(0x100, 32, kGen1x1, kStart + 1s), BytesPerSecond(0x200));
}

TEST(CounterRateTest, ANarrowCounterOnAFastLinkSaysNothing) {
  CounterRate rate;
  (void)rate.update(1000, 32, kGen5x16, kStart);
  EXPECT_EQ(rate.update(2000, 32, kGen5x16, kStart + 1s), kUnknowable);
  EXPECT_EQ(rate.update(2000, 32, 0, kStart + 2s), kUnknowable) << "a link of unknown speed";
}

TEST(CounterRateTest, AWideLabelOnANarrowCounterIsFoundOut) {
  CounterRate rate;
  (void)rate.update(0xffffff00, 64, kGen1x1, kStart);
  EXPECT_EQ(rate.update(0x100, 64, kGen1x1, kStart + 1s), BytesPerSecond(0x200));
}

TEST(CounterRateTest, AWideCounterThatStepsBackCountsAnew) {
  CounterRate rate;
  (void)rate.update(std::uint64_t{1} << 40, 64, kGen5x16, kStart);
  EXPECT_EQ(rate.update(7, 64, kGen5x16, kStart + 1s), kNotYet);
  EXPECT_EQ(rate.update(1007, 64, kGen5x16, kStart + 2s), BytesPerSecond(1000));
}

TEST(CounterRateTest, AWideCounterMayCountAnewFromASmallNumber) {
  CounterRate rate(true);
  (void)rate.update(5000, 64, 0, kStart);
  EXPECT_EQ(rate.update(7, 64, 0, kStart + 1s), kNotYet) << "somebody reset it";
  EXPECT_EQ(rate.update(1007, 64, 0, kStart + 2s), BytesPerSecond(1000));
}

TEST(CounterRateTest, NoTimeBetweenGivesNoRate) {
  CounterRate rate;
  (void)rate.update(1, 64, kGen5x16, kStart);
  EXPECT_EQ(rate.update(2, 64, kGen5x16, kStart), kNotYet);
}

}  // namespace
}  // namespace gpukeeper::nvml
