#include "forecast/period.hpp"

#include <gtest/gtest.h>

#include "curves.hpp"
#include "forecast/paths.hpp"

namespace gpukeeper::forecast {
namespace {

Series series_of(const std::vector<TimedValue>& values) {
  return {values, values.back().at, Merged::middle};
}

std::optional<std::size_t> period(int length, const std::function<double(int)>& value) {
  return period_of(series_of(curve(0, length, value)));
}

TEST(PeriodTest, IsTheShortestThatIsAsGoodAsAny) {
  EXPECT_EQ(period(7200, [](int i) { return i % 900 < 600 ? 70 : 50; }), 90U);
  EXPECT_EQ(period(7200, [](int i) { return work_and_rest(i, 300); }), 60U);
  EXPECT_EQ(period(7200, [](int i) { return i % 730 < 100 ? 70 : 50; }), 73U);
}

TEST(PeriodTest, ThreeTimesMustHaveGoneBy) {
  EXPECT_FALSE(period(2000, [](int i) { return i % 900 < 450 ? 70 : 50; }));
  EXPECT_TRUE(period(3000, [](int i) { return i % 900 < 450 ? 70 : 50; }));
}

TEST(PeriodTest, WhatDoesNotRepeatHasNone) {
  EXPECT_FALSE(period_of(series_of({{Past::at(0), 50}})));
  EXPECT_FALSE(period_of(Series({}, Past::at(0), Merged::middle)));
  EXPECT_FALSE(period(7200, [](int) { return 50; }));
  EXPECT_FALSE(period(7200, [](int i) { return i * 0.01; }));
  EXPECT_FALSE(period(7200, [](int i) { return i < 4000 ? 50 : 80; }));
}

TEST(PeriodTest, OnlyWhatCameSinceTheLastGapCounts) {
  auto values = curve(0, 7200, [](int i) { return i % 900 < 450 ? 70 : 50; });
  for (const TimedValue& value : curve(8000, 9000, [](int) { return 50; })) values.push_back(value);
  EXPECT_FALSE(period_of(series_of(values)));
}

TEST(PeriodTest, APathRepeatsWhatCameAPeriodBefore) {
  const auto wave = [](int i) { return i % 900 < 600 ? 70.0 : 50.0; };
  const Series series = series_of(curve(0, 7200, wave));
  const Paths paths(series, nullptr);
  const std::size_t last = series.size() - 1;  // the end of a wave
  const auto path = paths.path({Course::repeats, 0, 0}, last);
  ASSERT_TRUE(path);
  EXPECT_EQ(path->at(300), 70);
  EXPECT_EQ(path->at(700), 50);
  EXPECT_EQ(path->at(900), 50);
  EXPECT_EQ(path->at(1200), 70);
  EXPECT_FALSE(paths.path({Course::repeats, 0, 0}, 50));  // it had not gone by
}

}  // namespace
}  // namespace gpukeeper::forecast
