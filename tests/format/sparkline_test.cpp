#include "format/sparkline.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/display_text.hpp"

namespace gpukeeper {
namespace {

using Values = std::vector<std::optional<double>>;

const Values kUse = {45, 67, 82, 91, 88, 75, 60};

// BUG-063: the glyphs of the documented example come out of no linear scale; these are those of its rule.
TEST(SparklineTest, OnAFixedScaleTheLevelIsSevenTimesTheShareRounded) {
  EXPECT_EQ(sparkline(kUse, 100), "▄▆▇▇▇▆▅");
  EXPECT_EQ(sparkline(kUse, 91), "▄▆▇██▇▆");
  EXPECT_EQ(sparkline(Values{0, 7.1, 7.2, 50, 92.8, 92.9, 100}, 100), "▁▁▂▅▇██");
}

TEST(SparklineTest, BetweenSmallestAndLargest) {
  EXPECT_EQ(sparkline_spread(kUse, 80), "▁▄▇██▆▃");
  EXPECT_EQ(sparkline_spread(Values{1, 2, 3, 4, 5, 6, 7, 8}, 80), "▁▂▃▄▅▆▇█");
}

TEST(SparklineTest, OneGlyphAValue) {
  for (std::size_t count = 0; count < 50; ++count) {
    EXPECT_EQ(display_width(sparkline(Values(count, 50.0), 100)), count);
    EXPECT_EQ(display_width(sparkline_spread(Values(count, 50.0), 80)), count);
  }
}

TEST(SparklineTest, NothingToShowIsEmpty) {
  EXPECT_EQ(sparkline({}, 100), "");
  EXPECT_EQ(sparkline(kUse, 0), "");
  EXPECT_EQ(sparkline(kUse, -5), "");
  EXPECT_EQ(sparkline(kUse, std::numeric_limits<double>::quiet_NaN()), "");
  EXPECT_EQ(sparkline_spread({}, 80), "");
  EXPECT_EQ(sparkline_spread(kUse, 0), "");
}

TEST(SparklineTest, WhatIsBeyondTheScaleIsAtItsEnd) {
  EXPECT_EQ(sparkline(Values{-10, 101, 1e300}, 100), "▁██");
  EXPECT_EQ(sparkline(Values{std::numeric_limits<double>::quiet_NaN()}, 100), "▁");
  EXPECT_EQ(sparkline_between(Values{-10, 20, 30, 40, 50}, 20, 40), "▁▁▅██");
}

TEST(SparklineTest, WhatDoesNotChangeIsInTheMiddle) {
  EXPECT_EQ(sparkline_spread(Values{61, 61, 61}, 80), "▅▅▅");
  EXPECT_EQ(sparkline_between(Values{61}, 50, 50), "▅");
}

TEST(SparklineTest, AnAbsentValueIsABlank) {
  EXPECT_EQ(sparkline(Values{100, std::nullopt, 0}, 100), "█ ▁");
  EXPECT_EQ(sparkline_spread(Values{std::nullopt, 1, 2}, 80), " ▁█");
  EXPECT_EQ(sparkline_spread(Values{std::nullopt}, 80), " ");
}

TEST(SparklineTest, OfMoreValuesThanThereIsRoomEverySoManyIsShown) {
  Values values;
  for (int i = 0; i < 800; ++i) values.emplace_back(i / 100);
  EXPECT_EQ(sparkline_spread(values, 8), "▁▂▃▄▅▆▇█");
}

TEST(SparklineTest, WithoutUtf8ThereAreOtherGlyphs) {
  EXPECT_EQ(sparkline(kUse, 100, false), ":+***+=");
  EXPECT_EQ(sparkline_spread(Values{1, 2, 3, 4, 5, 6, 7, 8}, 80, false), "_.-:=+*#");
}

}  // namespace
}  // namespace gpukeeper
