#include "forecast/forecast.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "curves.hpp"

namespace gpukeeper::forecast {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Result<Forecast> temperature(const std::vector<TimedValue>& values, const std::vector<TimedValue>& watts = {}) {
  return forecast_of(values, watts, values.empty() ? Past::at(0) : values.back().at, temperature_rules());
}

Result<Forecast> memory(const std::vector<TimedValue>& values, double total = 80e9) {
  return forecast_of(values, {}, values.back().at, memory_rules(total));
}

std::string refusal(const Result<Forecast>& forecast) {
  return forecast ? "" : forecast.error().message;
}

TEST(ForecastTest, AFlatSeriesStaysFlatAndSaysSo) {
  const auto forecast = temperature(curve(0, 6 * 3600, [](int) { return 61.0; }));
  ASSERT_TRUE(forecast);
  EXPECT_EQ(forecast->reach(), 3600s);
  EXPECT_EQ(forecast->beyond, "");
  for (const auto ahead : kHorizons) {
    const Point* point = forecast->at(ahead);
    ASSERT_TRUE(point);
    EXPECT_EQ(point->expected, 61);
    EXPECT_EQ(point->course, Course::stays);
    EXPECT_EQ(point->error, 0);
    EXPECT_LE(point->high - point->low, 1.0);
  }
}

// A device that works for ten minutes and rests for ten, without noise: wherever it is, what comes lies in the
// interval.
TEST(ForecastTest, TheTruthOfANoiselessDeviceLiesInTheInterval) {
  constexpr int kPeriod = 600;
  const auto truth = [](int i) { return work_and_rest(i, kPeriod); };
  int held = 0, all = 0;
  for (int end = 6 * 3600; end < 6 * 3600 + 1200; end += 50) {
    const auto forecast =
        temperature(curve(0, end, truth), curve(0, end, [](int i) { return watts_of_work(i, kPeriod); }));
    ASSERT_TRUE(forecast);
    if (forecast->points.empty()) continue;
    const Point* point = forecast->at(60s);
    ASSERT_TRUE(point) << forecast->beyond;
    ++all;
    const double came = truth(end + 55);  // the middle of the cell
    if (came >= point->low && came <= point->high) ++held;
  }
  EXPECT_GE(all, 20);
  EXPECT_GE(held, all * 8 / 10);
}

TEST(ForecastTest, TowardsALevelItIsNotForecastFarAboveIt) {
  constexpr int kPeriod = 900;
  // Four hours of work and rest, then at every moment of a rise towards 80 °C.
  for (int into = 60; into < kPeriod; into += 60) {
    const int end = 16 * kPeriod + into;
    const auto values = curve(0, end, [](int i) { return work_and_rest(i, kPeriod); });
    for (const auto& watts :
         {std::vector<TimedValue>(), curve(0, end, [](int i) { return watts_of_work(i, kPeriod); })}) {
      const auto forecast = temperature(values, watts);
      ASSERT_TRUE(forecast);
      for (const Point& point : forecast->points)
        EXPECT_LT(point.expected, 85) << into << " s, " << point.ahead.count();
    }
  }
}

TEST(ForecastTest, PowerTellsOfARiseThatHasHardlyBegun) {
  constexpr int kPeriod = 600;
  const int end = 24 * kPeriod + 40;
  const auto values = curve(0, end, [](int i) { return work_and_rest(i, kPeriod); });
  const auto with = temperature(values, curve(0, end, [](int i) { return watts_of_work(i, kPeriod); }));
  ASSERT_TRUE(with);
  const Point* point = with->at(60s);
  ASSERT_TRUE(point) << with->beyond;
  EXPECT_NEAR(point->expected, work_and_rest(end + 55, kPeriod), 4);
  EXPECT_LT(point->error, point->error_if_stays);
}

TEST(ForecastTest, SpikesChangeLittle) {
  const auto truth = [](int i) { return work_and_rest(i, 900); };
  const int end = 16 * 900 + 150;
  const auto clean = temperature(curve(0, end, truth));
  const auto spiked = temperature(curve(0, end, [&](int i) { return i % 97 == 0 ? 255.0 : truth(i); }));
  ASSERT_TRUE(clean && spiked);
  ASSERT_EQ(clean->points.size(), spiked->points.size());
  for (std::size_t i = 0; i < clean->points.size(); ++i) {
    EXPECT_NEAR(spiked->points[i].expected, clean->points[i].expected, 1);
    EXPECT_NEAR(spiked->points[i].high, clean->points[i].high, 4);
  }
}

TEST(ForecastTest, TooLittleIsRefusedWithWhatIsMissing) {
  EXPECT_EQ(refusal(temperature({})), "nothing was measured");
  EXPECT_EQ(refusal(temperature({{Past::at(0), 60}})), "2 min of readings are needed, and there are 10 s");
  const auto short_one = temperature(curve(0, 900, [](int) { return 60; }));
  ASSERT_TRUE(short_one);
  EXPECT_TRUE(short_one->at(60s));
  EXPECT_FALSE(short_one->at(300s));
  EXPECT_EQ(short_one->beyond, "for 5 min ahead 22 min of unbroken readings are needed, and there are 15");
}

TEST(ForecastTest, SilenceIsRefused) {
  const auto values = curve(0, 7200, [](int) { return 60; });
  EXPECT_EQ(refusal(forecast_of(values, {}, Past::at(7200 + 300), temperature_rules())),
            "nothing was measured for 5 min");
  EXPECT_TRUE(forecast_of(values, {}, Past::at(7200 + 30), temperature_rules()));
}

TEST(ForecastTest, AGapAMomentAgoIsRefusedAndOneLongAgoIsNot) {
  auto values = curve(0, 7200, [](int) { return 60; });
  for (const TimedValue& value : curve(7500, 7560, [](int) { return 45; })) values.push_back(value);
  EXPECT_EQ(refusal(temperature(values)), "there was a gap in the readings 60 s ago, and 2 min without one are needed");
  for (const TimedValue& value : curve(7560, 7800, [](int) { return 45; })) values.push_back(value);
  const auto forecast = temperature(values);
  ASSERT_TRUE(forecast);
  EXPECT_EQ(forecast->at(60s)->expected, 45);
}

TEST(ForecastTest, ClockJumpsDuplicatesAndNoNumbersDoNoHarm) {
  auto values = curve(0, 3600, [](int) { return 60; });
  auto odd = values;
  odd.insert(odd.begin() + 1800, {{Past::at(-90'000), 99}, {Past::at(1799), 60}, {Past::at(1799), 60}});
  odd.push_back({Past::at(3599), std::numeric_limits<double>::quiet_NaN()});
  const auto expected = temperature(values);
  const auto forecast = forecast_of(odd, {}, Past::at(3599), temperature_rules());
  ASSERT_TRUE(expected && forecast);
  ASSERT_EQ(forecast->points.size(), expected->points.size());
  EXPECT_EQ(forecast->points.back().expected, expected->points.back().expected);
  // A jump forward is a gap.
  for (TimedValue& value : values) {
    if (value.at > Past::at(3550)) value.at += 5h;
  }
  EXPECT_THAT(refusal(temperature(values)), HasSubstr("there was a gap in the readings"));
}

TEST(ForecastTest, WhatMovesAsNeverBeforeIsNotJudgedByQuietHours) {
  const auto values = curve(0, 7200, [](int i) { return i < 7100 ? 40.0 : 40 + (i - 7100) * 0.3; });
  const auto forecast = temperature(values);
  ASSERT_TRUE(forecast);
  EXPECT_TRUE(forecast->points.empty());
  EXPECT_THAT(forecast->beyond, HasSubstr("it moves as it never did"));
  EXPECT_EQ(crossing_of(*forecast, 85).reach, Reach::unknown);
}

TEST(ForecastTest, MemoryThatGrowsIsFullInTime) {
  const double rate = 20e9 / 3600;
  const auto forecast = memory(curve(0, 5 * 3600, [&](int i) { return i * rate / 2; }), 80e9);
  ASSERT_TRUE(forecast);
  const Point* point = forecast->at(3600s);
  ASSERT_TRUE(point) << forecast->beyond;
  EXPECT_EQ(point->course, Course::straight);
  EXPECT_NEAR(point->expected, 60e9, 0.5e9);
  const Crossing crossing = crossing_of(*forecast, 55e9);
  EXPECT_EQ(crossing.reach, Reach::expected);
  EXPECT_NEAR(static_cast<double>(crossing.expected->count()), 1800, 60);
  EXPECT_LE(*crossing.earliest, *crossing.expected);
  EXPECT_GE(*crossing.latest, *crossing.expected);
  EXPECT_EQ(crossing_of(*forecast, 80e9).reach, Reach::not_within);
}

// A limit that lies between the times of which people are told.
TEST(ForecastTest, APeakBetweenTheHorizonsIsNotMissed) {
  const auto wave = [](int i) {
    return i % 1800 < 1500 ? 50.0 : 50 + 30 * std::sin((i % 1800 - 1500) * 3.14159 / 300);
  };
  // Twenty-one minutes before the next peak: neither in 15 nor in 60 minutes.
  const auto forecast = temperature(curve(0, 6 * 3600 + 390, wave));
  ASSERT_TRUE(forecast);
  EXPECT_EQ(forecast->reach(), 3600s);
  EXPECT_NEAR(forecast->at(900s)->expected, 50, 1);
  const Crossing crossing = crossing_of(*forecast, 75);
  ASSERT_TRUE(crossing.expected);
  EXPECT_NEAR(static_cast<double>(crossing.expected->count()), 1110 + 94, 90);
}

// A minute at 80 °C every ten to sixteen: in an hour it is over again, and the limit was reached.
TEST(ForecastTest, WhatIsReachedAndLeftAgainIsReached) {
  std::vector<TimedValue> values;
  for (int second = 0, round = 0; second < 10 * 3600; ++round) {
    const int rest = 540 + 60 * (round * 5 % 7);
    for (const TimedValue& value : curve(second, second + rest, [](int) { return 50; })) values.push_back(value);
    for (const TimedValue& value : curve(second + rest, second + rest + 60, [](int) { return 80; }))
      values.push_back(value);
    second += rest + 60;
  }
  for (const TimedValue& value : curve(36'900, 37'200, [](int) { return 50; })) {
    if (value.at > values.back().at) values.push_back(value);
  }
  const auto forecast = temperature(values);
  ASSERT_TRUE(forecast);
  ASSERT_TRUE(forecast->at(3600s)) << forecast->beyond;
  EXPECT_LT(forecast->at(3600s)->expected, 60);
  const Crossing crossing = crossing_of(*forecast, 75);
  EXPECT_EQ(crossing.reach, Reach::expected);
  EXPECT_LT(*crossing.earliest, *crossing.expected);
  EXPECT_LT(*crossing.expected, 20min);
}

TEST(ForecastTest, MemoryInStepsStaysWithinWhatThereIs) {
  // A job of 40 GB every half an hour, loaded within seconds.
  const auto forecast = memory(curve(0, 8 * 3600, [](int i) { return i % 3600 < 1800 ? 41e9 : 1e9; }), 44e9);
  ASSERT_TRUE(forecast);
  ASSERT_FALSE(forecast->points.empty());
  for (const Point& point : forecast->points) {
    EXPECT_GE(point.low, 0);
    EXPECT_LE(point.high, 44e9);
    EXPECT_LE(point.low, point.expected);
    EXPECT_GE(point.high, point.expected);
  }
}

TEST(CrossingTest, OfEachKind) {
  Forecast forecast{.current = 60, .known = 1h, .points = {}, .beyond = {}};
  EXPECT_EQ(crossing_of(forecast, 85), Crossing{});
  forecast.points = {{.ahead = 60s, .peak = 70, .peak_low = 65, .peak_high = 80},
                     {.ahead = 300s, .peak = 80, .peak_low = 70, .peak_high = 95}};
  EXPECT_EQ(crossing_of(forecast, 60).reach, Reach::reached);
  EXPECT_EQ(crossing_of(forecast, 65),
            (Crossing{.reach = Reach::expected, .within = 300s, .earliest = 15s, .expected = 30s, .latest = 60s}));
  EXPECT_EQ(
      crossing_of(forecast, 75),
      (Crossing{.reach = Reach::expected, .within = 300s, .earliest = 45s, .expected = 180s, .latest = std::nullopt}));
  EXPECT_EQ(crossing_of(forecast, 95).reach, Reach::possible);
  EXPECT_EQ(crossing_of(forecast, 95).earliest, 300s);
  EXPECT_EQ(crossing_of(forecast, 96).reach, Reach::not_within);
}

// Whatever is measured: no number that is none, the ends around what is expected, limits in order.
RC_GTEST_PROP(ForecastProperty, IntervalsHoldWhatIsExpected, ()) {
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-30, 31));
  double value = 60;
  std::vector<TimedValue> values;
  double at = 0;
  for (const int step : steps) {
    for (int i = 0; i < 20; ++i) values.push_back({Past::at(at += 5), value += step * 0.02});
    if (step == 30) at += 500;
  }
  const auto forecast = temperature(values);
  if (!forecast) return;
  for (const Point& point : forecast->points) {
    RC_ASSERT(std::isfinite(point.expected));
    RC_ASSERT(point.low <= point.expected);
    RC_ASSERT(point.expected <= point.high);
    RC_ASSERT(point.stretches >= kFewestStretches);
    RC_ASSERT(point.error <= point.error_if_stays || point.course == Course::stays);
  }
  const Crossing crossing = crossing_of(*forecast, forecast->current + 5);
  if (crossing.expected) RC_ASSERT(crossing.earliest && *crossing.earliest <= *crossing.expected);
  if (crossing.latest) RC_ASSERT(crossing.expected && *crossing.expected <= *crossing.latest);
}

}  // namespace
}  // namespace gpukeeper::forecast
