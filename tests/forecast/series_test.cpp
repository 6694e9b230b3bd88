#include "forecast/series.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "curves.hpp"

namespace gpukeeper::forecast {
namespace {

using namespace std::chrono_literals;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Series middle(const std::vector<TimedValue>& values, double spike = 0) {
  return {values, values.empty() ? Past::at(0) : values.back().at, Merged::middle, spike};
}

TEST(SeriesTest, NothingGivesNothing) {
  EXPECT_TRUE(middle({}).empty());
  EXPECT_TRUE(middle({{Past::at(0), kNaN}}).empty());
}

TEST(SeriesTest, OneValueIsOneCell) {
  const Series series = middle({{Past::at(3), 64}});
  ASSERT_EQ(series.size(), 1U);
  EXPECT_EQ(series.at(0), 64);
  EXPECT_EQ(series.unbroken(0), 1U);
  EXPECT_EQ(series.mean(0, 100).value, 64);
}

TEST(SeriesTest, TheLastCellEndsWithTheLastValue) {
  const Series series = middle(curve(0, 26, [](int i) { return i; }));
  ASSERT_EQ(series.size(), 3U);
  EXPECT_EQ(series.at(2), 21);  // the middle of 16 to 25
  EXPECT_EQ(series.at(1), 11);
  EXPECT_EQ(series.unbroken(2), 3U);
}

TEST(SeriesTest, ASensorThatErrsForMomentsIsOutvoted) {
  const Series series = middle(curve(0, 100, [](int i) { return i % 10 < 3 ? 250 : 50; }));
  for (std::size_t i = 0; i < series.size(); ++i) EXPECT_EQ(series.at(i), 50);
}

TEST(SeriesTest, ACellThatStandsAloneIsNoValueAndAStepIsOne) {
  const auto every_ten = [](std::vector<double> cells) {
    std::vector<TimedValue> values;
    for (std::size_t i = 0; i < cells.size(); ++i)
      values.push_back({Past::at(10.0 * static_cast<double>(i)), cells[i]});
    return values;
  };
  const Series spike = middle(every_ten({50, 50, 90, 50, 50}), 5);
  EXPECT_EQ(spike.at(2), 50);
  EXPECT_EQ(middle(every_ten({50, 50, 90, 50, 50})).at(2), 90);  // memory may do that
  const Series step = middle(every_ten({50, 50, 90, 90, 90}), 5);
  EXPECT_EQ(step.at(2), 90);
  EXPECT_EQ(middle(every_ten({50, 50, 90}), 5).at(2), 90);  // of the last nobody knows yet
}

TEST(SeriesTest, WhatIsNoNumberOrGoesBackInTimeOrComesTwiceIsLeftOut) {
  auto values = curve(0, 60, [](int) { return 50; });
  values.push_back({Past::at(30), 99});
  values.push_back({Past::at(59), kNaN});
  values.push_back({Past::at(59), std::numeric_limits<double>::infinity()});
  values.push_back({Past::at(59), 50});
  values.push_back({Past::at(59), 50});
  values.push_back({Past::at(500), 99});  // behind the end
  const Series series(values, Past::at(59), Merged::mean);
  ASSERT_EQ(series.size(), 6U);
  for (std::size_t i = 0; i < series.size(); ++i) EXPECT_EQ(series.at(i), 50);
}

TEST(SeriesTest, ShortHolesAreBridgedAndLongOnesStay) {
  auto values = curve(0, 30, [](int) { return 50; });
  for (const TimedValue& value : curve(90, 120, [](int) { return 57; })) values.push_back(value);
  const Series bridged = middle(values);
  ASSERT_EQ(bridged.size(), 12U);
  EXPECT_EQ(bridged.unbroken(11), 12U);
  EXPECT_NEAR(bridged.at(3), 51, 1e-9);

  for (const TimedValue& value : curve(300, 330, [](int) { return 57; })) values.push_back(value);
  const Series broken = middle(values);
  EXPECT_EQ(broken.size(), 33U);
  EXPECT_FALSE(broken.known(20));
  EXPECT_EQ(broken.unbroken(32), 3U);
  EXPECT_EQ(broken.known(), 15U);
  EXPECT_EQ(broken.mean(32, 1000).count, 15U);
}

TEST(SeriesTest, SlopeIsThatOfTheStraightLine) {
  const Series series = middle(curve(0, 600, [](int i) { return 40 + i * 0.02; }));
  EXPECT_NEAR(series.slope(59, 12), 0.02, 1e-9);
  EXPECT_NEAR(series.slope(20, 6), 0.02, 1e-9);
}

TEST(SeriesTest, NoMoreThanADayIsKept) {
  std::vector<TimedValue> values;
  for (int i = 0; i < 9000; ++i) values.push_back({Past::at(10.0 * i), static_cast<double>(i)});
  const Series series = middle(values);
  EXPECT_EQ(series.size(), Series::kMostCells);
  EXPECT_EQ(series.at(series.size() - 1), 8999);
}

}  // namespace
}  // namespace gpukeeper::forecast
