#include "telemetry/trend.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fakes/past.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using enum TrendDirection;

const DeviceId kGpu{"GPU-a"};

// A value a second.
std::vector<TimedValue> seconds(int count, const std::function<double(int)>& value) {
  std::vector<TimedValue> values;
  for (int i = 0; i < count; ++i) values.push_back({Past::at(i), value(i)});
  return values;
}

TrendDirection direction(const std::vector<TimedValue>& values) {
  return trend_of(values)->direction;
}

TEST(TrendTest, NothingWasMeasured) {
  EXPECT_FALSE(trend_of({}));
}

TEST(TrendTest, OneValueIsStable) {
  const auto trend = trend_of(std::vector<TimedValue>{{Past::at(0), 64}});
  EXPECT_EQ(trend->count, 1u);
  EXPECT_EQ(trend->current, 64);
  EXPECT_EQ(trend->min, 64);
  EXPECT_EQ(trend->max, 64);
  EXPECT_EQ(trend->avg, 64);
  EXPECT_EQ(trend->direction, stable);
  EXPECT_TRUE(trend->is_stable);
  EXPECT_EQ(trend->per_minute, 0);
}

TEST(TrendTest, ARampIsRisingAtItsSlope) {
  const auto trend = trend_of(seconds(301, [](int i) { return 40 + i * 0.02; }));
  EXPECT_EQ(trend->count, 301u);
  EXPECT_EQ(trend->direction, rising);
  EXPECT_NEAR(trend->per_minute, 1.2, 1e-9);
  EXPECT_EQ(trend->covered, 300s);
  EXPECT_NEAR(trend->current, 46, 1e-9);
  EXPECT_NEAR(trend->avg, 43, 1e-9);
  EXPECT_FALSE(trend->is_stable);  // 6 °C apart
}

// The border is part of it (BUG-026): at least 1 °C over the window, either way.
TEST(TrendTest, OneDegreeOverTheWindowIsATrendAndLessIsNone) {
  const auto ramp = [](double change) { return seconds(101, [=](int i) { return 50 + change * i / 100; }); };
  EXPECT_EQ(direction(ramp(1.0)), rising);
  EXPECT_EQ(direction(ramp(0.99)), stable);
  EXPECT_EQ(direction(ramp(0)), stable);
  EXPECT_EQ(direction(ramp(-0.99)), stable);
  EXPECT_EQ(direction(ramp(-1.0)), falling);
}

// Its own meaning, as documented: highest less lowest below 5 °C.
TEST(TrendTest, IsStableLooksAtHighestAndLowest) {
  const auto between = [](double top) { return seconds(60, [=](int i) { return i == 30 ? top : 50; }); };
  EXPECT_TRUE(trend_of(between(54.9))->is_stable);
  EXPECT_FALSE(trend_of(between(55))->is_stable);
}

TEST(TrendTest, EqualEndsDoNotMakeItFalling) {
  EXPECT_EQ(direction(seconds(120, [](int) { return 61; })), stable);
}

TEST(TrendTest, ASensorThatErrsForAMomentTurnsNothingRound) {
  const auto with_spikes = [](double wrong) {
    return seconds(120, [=](int i) { return i == 3 || i == 117 || i == 118 ? wrong : 50 + i * 0.05; });
  };
  for (const double wrong : {0.0, 255.0}) {
    const auto trend = trend_of(with_spikes(wrong));
    EXPECT_EQ(trend->direction, rising) << wrong;
    EXPECT_NEAR(trend->per_minute, 3, 0.01) << wrong;
    EXPECT_EQ(trend->spikes, 3u);
    EXPECT_EQ(trend->count, 120u);
    EXPECT_EQ(trend->min, 50);  // it was never that cold, nor that hot
    EXPECT_NEAR(trend->max, 55.95, 1e-9);
    EXPECT_NEAR(trend->avg, 53, 0.1);
  }
}

TEST(TrendTest, AStepIsNoSpike) {
  const auto trend = trend_of(seconds(120, [](int i) { return i < 60 ? 40 : 70; }));
  EXPECT_EQ(trend->spikes, 0u);
  EXPECT_EQ(trend->max - trend->min, 30);
  EXPECT_EQ(trend->direction, stable);  // since then
}

TEST(TrendTest, WhatRoseAndFallsNowIsFalling) {
  const auto trend = trend_of(seconds(300, [](int i) { return i < 240 ? 60 + i * 0.1 : 84 - (i - 240) * 0.2; }));
  EXPECT_EQ(trend->direction, falling);
  EXPECT_NEAR(trend->per_minute, -12, 2);
  EXPECT_LT(trend->covered, 80s);
  EXPECT_EQ(trend->count, 300u);
  EXPECT_FALSE(trend->uneven);
  EXPECT_FALSE(time_until(*trend, 85));
}

TEST(TrendTest, WhatFlattensRisesAtItsLatestPace) {
  const auto trend = trend_of(seconds(300, [](int i) { return 80 - 40 * std::exp(-i / 60.0); }));
  EXPECT_LT(trend->per_minute, 2);  // the whole of it: 5
}

TEST(TrendTest, WavesThatRiseALittleForetellNothing) {
  const auto trend =
      trend_of(seconds(300, [](int i) { return 84 + i / 120.0 + 4 * std::sin(2 * std::numbers::pi * i / 12); }));
  EXPECT_TRUE(trend->uneven);
  EXPECT_EQ(trend->direction, stable);
  EXPECT_FALSE(time_until(*trend, 100));
}

TEST(TrendTest, ASensorThatIsCoarseIsNotUneven) {
  const auto coarse = trend_of(seconds(300, [](int i) { return std::floor(60 + i / 150.0 + (i * 7 % 10) / 10.0); }));
  EXPECT_EQ(coarse->direction, rising);
  EXPECT_FALSE(coarse->uneven);
}

TEST(TrendTest, WhatWasBeforeALongSilenceSaysNothingOfNow) {
  std::vector<TimedValue> values;
  for (int i = 0; i < 60; ++i) values.push_back({Past::at(i), 85});  // hot, then the device was reset
  for (int i = 200; i < 260; ++i) values.push_back({Past::at(i), 40 + (i - 200) * 0.1});
  const auto trend = trend_of(values);
  EXPECT_EQ(trend->direction, rising);
  EXPECT_EQ(trend->covered, 59s);
  EXPECT_EQ(trend->count, 120u);
  EXPECT_EQ(trend->max, 85);  // it was that hot
}

TEST(TrendTest, AShortSilenceIsBridged) {
  std::vector<TimedValue> values;
  for (int i = 0; i < 60; ++i) values.push_back({Past::at(i), 40 + i * 0.1});
  for (int i = 110; i < 160; ++i) values.push_back({Past::at(i), 40 + i * 0.1});
  EXPECT_EQ(trend_of(values)->covered, 159s);
  EXPECT_NEAR(trend_of(values)->per_minute, 6, 1e-9);
}

TEST(TrendTest, WavesWithoutADirectionAreStable) {
  const auto wave = seconds(600, [](int i) { return 60 + 3 * std::sin(2 * std::numbers::pi * i / 60); });
  EXPECT_EQ(direction(wave), stable);
}

// The same curve, seen through a mirror or from another height, has the same trend.
RC_GTEST_PROP(TrendProperty, MirroredItIsTheOther, ()) {
  const auto tenths = *rc::gen::container<std::vector<int>>(rc::gen::inRange(200, 1000));
  RC_PRE(!tenths.empty());
  std::vector<TimedValue> values, mirrored, moved;
  for (std::size_t i = 0; i < tenths.size(); ++i) {
    const auto at = Past::at(static_cast<double>(i));
    values.push_back({at, tenths[i] / 8.0});  // eighths: exact when they are moved and turned
    mirrored.push_back({at, -tenths[i] / 8.0});
    moved.push_back({at + 1000h, tenths[i] / 8.0 + 16});
  }
  const auto trend = *trend_of(values), other = *trend_of(mirrored), same = *trend_of(moved);
  RC_ASSERT(trend.is_stable == other.is_stable);
  RC_ASSERT(trend.spikes == other.spikes);
  RC_ASSERT(std::abs(trend.per_minute + other.per_minute) < 1e-6);
  RC_ASSERT(std::abs(trend.per_minute - same.per_minute) < 1e-6);
  const double change = std::abs(trend.per_minute) * std::chrono::duration<double>(trend.covered).count() / 60;
  RC_PRE(std::abs(change - 1) > 1e-6);  // on the border last bits decide
  RC_ASSERT((trend.direction == rising) == (other.direction == falling));
  RC_ASSERT((trend.direction == stable) == (other.direction == stable));
  RC_ASSERT(trend.direction == same.direction);
}

RC_GTEST_PROP(TrendProperty, ALineIsFound, ()) {
  const double slope = *rc::gen::inRange(-1000, 1000) / 100.0;  // a minute
  const int count = *rc::gen::inRange(3, 600);
  const auto trend = *trend_of(seconds(count, [=](int i) { return 50 + slope * i / 60; }));
  RC_ASSERT(std::abs(trend.per_minute - slope) < 1e-6);
  RC_ASSERT(trend.spikes == 0u);
  RC_ASSERT(trend.min <= trend.avg + 1e-9 && trend.avg <= trend.max + 1e-9);
}

// --- Time until a temperature ----------------------------------------------------------------------------------------

TEST(TrendTest, TheTimeUntilATemperatureIsThatOfTheSlope) {
  const auto trend = *trend_of(seconds(301, [](int i) { return 40 + i * 0.02; }));  // 46 °C now, 1.2 °C a minute
  const auto until = time_until(trend, 85);
  ASSERT_TRUE(until);
  EXPECT_NEAR(std::chrono::duration<double>(*until).count(), 39 / 1.2 * 60, 0.001);
}

TEST(TrendTest, ThereIsNoTimeUntilWhatIsNotAhead) {
  const auto ramp = [](double slope) { return *trend_of(seconds(301, [=](int i) { return 50 + i * slope; })); };
  EXPECT_FALSE(time_until(ramp(0.02), 56));     // it is there
  EXPECT_FALSE(time_until(ramp(0.02), 40));     // long past
  EXPECT_FALSE(time_until(ramp(-0.02), 85));    // falling
  EXPECT_FALSE(time_until(ramp(0.001), 85));    // stable
  EXPECT_FALSE(time_until(ramp(0.0034), 500));  // in more than a day
}

Result<TemperatureTrend> heated(const std::function<Reading(int)>& reading, std::chrono::nanoseconds window = 5min) {
  History history;
  for (int second = 0; second <= 600; ++second) {
    auto snapshot = Past::one(second, 0);
    snapshot.devices[0].reading = reading(second);
    history.add(snapshot);
  }
  return temperature_trend(history, kGpu, window, {});
}

Reading hot(double celsius, std::optional<double> slowdown = {}) {
  Reading r{Missing::not_supported};
  r.temperature = Celsius(celsius);
  if (slowdown) r.temperature_slowdown = Celsius(*slowdown);
  return r;
}

TEST(TemperatureTrendTest, OnlyTheWindowIsLookedAt) {
  const auto fell_then_rose = [](int i) { return hot(i < 400 ? 80 - i * 0.1 : 40 + (i - 400) * 0.1); };
  EXPECT_EQ(heated(fell_then_rose, 3min)->trend.direction, rising);
  EXPECT_EQ(heated(fell_then_rose, 3min)->trend.count, 181u);
  EXPECT_EQ(heated(fell_then_rose, 10min)->trend.count, 601u);
  EXPECT_EQ(heated(fell_then_rose, 10min)->trend.min, 40);
  const auto rose_before = [](int i) { return hot(i < 200 ? 40 + i * 0.2 : 80); };
  EXPECT_EQ(heated(rose_before, 3min)->trend.min, 80);
}

TEST(TemperatureTrendTest, TheNextLimitIsTheLowestThatIsAhead) {
  const auto near_slowdown = heated([](int i) { return hot(40 + i * 0.05, 83); });  // 70 °C, 3 °C a minute
  ASSERT_TRUE(near_slowdown->limit);
  EXPECT_EQ(near_slowdown->limit->celsius, 83);
  EXPECT_EQ(near_slowdown->limit->name, "slowdown");
  EXPECT_NEAR(std::chrono::duration<double>(near_slowdown->until.value()).count(), 260, 1);

  EXPECT_EQ(heated([](int i) { return hot(40 + i * 0.05, 95); })->limit->name, "throttle");
  EXPECT_EQ(heated([](int i) { return hot(57 + i * 0.05, 95); })->limit->celsius, 95);  // throttling already
  EXPECT_FALSE(heated([](int i) { return hot(67 + i * 0.05); })->limit);
  EXPECT_FALSE(heated([](int i) { return hot(67 + i * 0.05); })->until);
  EXPECT_FALSE(heated([](int) { return hot(67); })->until);
}

TEST(TemperatureTrendTest, TheHotspotStandsForAnEdgeThatIsNotThere) {
  const auto trend = heated([](int i) {
    Reading r{Missing::not_supported};
    r.temperature_hotspot = Celsius(40 + i * 0.05);
    return r;
  });
  EXPECT_EQ(trend->metric, "temperature_hotspot_celsius");
  EXPECT_EQ(trend->trend.direction, rising);
}

TEST(TemperatureTrendTest, WhatASilentSensorSaidIsNotOfNow) {
  const auto lost_at = [](int second) {
    return [=](int i) { return i <= second ? hot(58) : Reading{Missing::not_supported}; };
  };
  EXPECT_TRUE(heated(lost_at(540)));
  EXPECT_EQ(heated(lost_at(539)).error(),
            (Error{Errc::not_found, "no temperature of GPU-a was measured for 61 s: 58.0 °C was the last"}));
  const auto edge_lost = heated([](int i) {
    Reading r = i < 400 ? hot(70) : Reading{Missing::not_supported};
    r.temperature_hotspot = Celsius(60);
    return r;
  });
  EXPECT_EQ(edge_lost->metric, "temperature_hotspot_celsius");
}

TEST(TemperatureTrendTest, SpikesAreNotDrawn) {
  const auto trend = heated([](int i) { return hot(i == 500 ? 255 : 60); });
  EXPECT_EQ(trend->trend.max, 60);
  EXPECT_EQ(trend->trend.count, 301u);
  EXPECT_EQ(trend->values.size(), 300u);
}

TEST(TemperatureTrendTest, WithoutATemperatureThereIsNone) {
  const auto trend = heated([](int) { return Reading{Missing::not_supported}; });
  ASSERT_FALSE(trend);
  EXPECT_EQ(trend.error(), (Error{Errc::not_found, "no temperature of GPU-a was measured in the last 300 s"}));
  EXPECT_EQ(temperature_trend(History(), kGpu, 1min, {}).error().code, Errc::not_found);
}

}  // namespace
}  // namespace gpukeeper
