#include "forecast/backtest.hpp"

#include <array>

#include <gtest/gtest.h>

#include "curves.hpp"

namespace gpukeeper::forecast {
namespace {

using namespace std::chrono_literals;

constexpr std::array kMethods = {Method{Course::stays, 0, 0}, Method{Course::straight, 12, 0}};
constexpr double kMoves = 1.5 / 60;

Series series_of(const std::vector<TimedValue>& values) {
  return {values, values.back().at, Merged::middle};
}

TEST(BacktestTest, TheBaselineStandsUntilAnotherIsClearlyBetter) {
  const Series flat = series_of(curve(0, 3600, [](int) { return 50; }));
  const Paths paths(flat, nullptr);
  const auto tested = Backtest(paths, kMethods, kMoves).best(60s);
  ASSERT_TRUE(tested);
  EXPECT_EQ(tested->method, 0U);
  EXPECT_EQ(tested->error, 0);
  EXPECT_EQ(tested->below, 0);
  EXPECT_GT(tested->stretches, 50U);
  EXPECT_GE(tested->forecasts, tested->stretches);

  const Series ramp = series_of(curve(0, 3600, [](int i) { return i * 0.05; }));
  const Paths rising(ramp, nullptr);
  const auto better = Backtest(rising, kMethods, kMoves).best(60s);
  ASSERT_TRUE(better);
  EXPECT_EQ(better->method, 1U);
  EXPECT_NEAR(better->error, 0, 1e-6);
  EXPECT_NEAR(better->error_if_stays, 3, 1e-6);
}

TEST(BacktestTest, WhatWasNotMeasuredOftenEnoughIsNotSaid) {
  const Series series = series_of(curve(0, 1500, [](int i) { return i % 2; }));
  const Paths paths(series, nullptr);
  const Backtest past(paths, kMethods, kMoves);
  EXPECT_TRUE(past.best(300s));
  EXPECT_FALSE(past.best(360s));  // three stretches and a bit
}

// A value that moves is judged by moments at which it moved, whichever way.
TEST(BacktestTest, WhatMovesIsJudgedByItsLike) {
  const auto wave = [](int i) {  // level, up, level, down
    const int at = i % 2400;
    return at < 900 ? 50.0 : at < 1200 ? 50 + (at - 900) * 0.1 : at < 2100 ? 80.0 : 80 - (at - 2100) * 0.1;
  };
  const Series moving = series_of(curve(0, 12'000 - 100, wave));
  const Paths paths(moving, nullptr);
  const Backtest past(paths, kMethods, kMoves);
  EXPECT_TRUE(past.moves(past.speed(moving.size() - 1)));
  const auto tested = past.best(60s);
  ASSERT_TRUE(tested);
  EXPECT_EQ(tested->method, 1U);
  EXPECT_LT(tested->forecasts, moving.size() / 2);
}

TEST(BacktestTest, WhatMovesAsItNeverDidIsUnheardOf) {
  const Series series = series_of(curve(0, 3600, [](int i) { return i < 3500 ? 50.0 : 50 + (i - 3500) * 0.2; }));
  const Paths paths(series, nullptr);
  EXPECT_TRUE(Backtest(paths, kMethods, kMoves).unheard_of());

  const Series again =
      series_of(curve(0, 3600, [](int i) { return i % 900 < 800 ? 50.0 : 50 + (i % 900 - 800) * 0.2; }));
  const Paths heard(again, nullptr);
  EXPECT_FALSE(Backtest(heard, kMethods, kMoves).unheard_of());
}

TEST(BacktestTest, NoForecastIsTriedAcrossAGap) {
  auto values = curve(0, 1000, [](int) { return 50; });
  for (const TimedValue& value : curve(2000, 3000, [](int) { return 90; })) values.push_back(value);
  const Series series = series_of(values);
  const Paths paths(series, nullptr);
  const auto tested = Backtest(paths, kMethods, kMoves).best(120s);
  ASSERT_TRUE(tested);
  EXPECT_EQ(tested->error_if_stays, 0);
}

}  // namespace
}  // namespace gpukeeper::forecast
