#include "gpukeeper/sparkline.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

// BUG-063: the glyphs that the guide prints for these come out of no linear scale.
const std::vector<int> kUse = {45, 67, 82, 91, 88, 75, 60};

TEST(PublicSparklineTest, IsOnTheScaleOfPercentUnlessToldOtherwise) {
  EXPECT_EQ(sparkline(kUse), "▄▆▇▇▇▆▅");
  EXPECT_EQ(sparkline(kUse, 91), "▄▆▇██▇▆");
  EXPECT_EQ(sparkline({45, 67, 82, 91, 88, 75, 60}), "▄▆▇▇▇▆▅");
}

TEST(PublicSparklineTest, BetweenSmallestAndLargest) {
  EXPECT_EQ(sparkline_spread(kUse, 80), "▁▄▇██▆▃");
  EXPECT_EQ(sparkline_spread(std::vector<float>{3, 3, 3}, 80), "▅▅▅");
  EXPECT_EQ(sparkline_spread(std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}, 4), "▁▃▆█");
}

TEST(PublicSparklineTest, WithinARangeWhatIsBeyondStandsAtItsEnd) {
  EXPECT_EQ(sparkline_range(std::vector<int>{-10, 20, 30, 40, 50}, 80, 20, 40), "▁▁▅██");
  EXPECT_EQ(sparkline_range(std::vector<int>{20, 20, 40, 40}, 2, 20, 40), "▁█");
}

TEST(PublicSparklineTest, NothingIsDrawnOfNothing) {
  EXPECT_EQ(sparkline(std::vector<int>{}), "");
  EXPECT_EQ(sparkline(kUse, 0), "");
  EXPECT_EQ(sparkline(kUse, -1), "");
  EXPECT_EQ(sparkline(kUse, std::numeric_limits<double>::quiet_NaN()), "");
  EXPECT_EQ(sparkline_spread(kUse, 0), "");
  EXPECT_EQ(sparkline_range(kUse, 0, 0, 100), "");
}

TEST(PublicSparklineTest, WhatIsAbsentIsABlank) {
  EXPECT_EQ(sparkline(std::vector<std::optional<unsigned>>{0, std::nullopt, 100}), "▁ █");
}

}  // namespace
}  // namespace gpukeeper
