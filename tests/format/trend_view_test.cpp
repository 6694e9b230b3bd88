#include "format/trend_view.hpp"

#include <gtest/gtest.h>

#include "fakes/past.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

class TrendViewTest : public testing::Test {
 protected:
  TrendViewTest() {
    for (int second = 0; second <= 300; ++second) {
      auto cool = Past::gpu(0, "GPU-b", 1);
      cool.reading.temperature = missing(Missing::not_supported);
      snapshot_ = Past::snapshot(second, {Past::gpu(40 + second * 0.1, "GPU-a", 0), cool});
      history_.add(snapshot_);
    }
  }
  TrendView gather(const std::vector<std::string>& devices = {}, const std::vector<LeakSuspect>& leaks = {}) const {
    return gather_trends(history_, snapshot_, leaks, devices, 5min).value();
  }

  History history_;
  Snapshot snapshot_;
};

TEST_F(TrendViewTest, EveryDeviceHasATrendOrAReason) {
  const auto view = gather();
  ASSERT_EQ(view.devices.size(), 2u);
  ASSERT_TRUE(view.devices[0].trend);
  EXPECT_EQ(view.devices[0].trend->trend.direction, TrendDirection::rising);
  EXPECT_EQ(view.devices[0].recent.size(), TrendView::kRecent);
  EXPECT_FALSE(view.devices[1].trend);
  EXPECT_EQ(view.devices[1].reason, "no temperature of GPU-b was measured in the last 300 s");
  EXPECT_EQ(gather({"1"}).devices.size(), 1u);
}

TEST_F(TrendViewTest, TheLimitIsTheOneThatHoldsForTheDevice) {
  snapshot_.devices[0].throttling.thresholds.temp_throttle = Celsius(72);
  const auto view = gather();
  ASSERT_TRUE(view.devices[0].trend->limit);
  EXPECT_EQ(view.devices[0].trend->limit->celsius, 72);
  EXPECT_EQ(view.devices[0].trend->until, 20s);
}

TEST_F(TrendViewTest, JsonHasTheEightDocumentedKeys) {
  const auto document = Json::parse(trend_json(gather(), false));
  const Json& hot = document["devices"][0];
  EXPECT_EQ(hot["duration_minutes"], 5);
  EXPECT_EQ(hot["sample_count"], 301);
  EXPECT_EQ(hot["current_temp"], 70.0);
  EXPECT_EQ(hot["min_temp"], 40.0);
  EXPECT_EQ(hot["max_temp"], 70.0);
  EXPECT_EQ(hot["avg_temp"], 55.0);
  EXPECT_EQ(hot["trend"], "rising");
  EXPECT_EQ(hot["is_stable"], false);
  EXPECT_EQ(hot["uneven"], false);
  EXPECT_EQ(hot["celsius_per_minute"], 6.0);
  EXPECT_EQ(hot["next_limit"], (Json{{"name", "throttle"}, {"celsius", 85.0}}));
  EXPECT_EQ(hot["seconds_until_limit"], 150.0);
  const Json& silent = document["devices"][1];
  EXPECT_EQ(silent["sample_count"], 0);
  for (const char* key : {"current_temp", "trend", "is_stable", "next_limit", "seconds_until_limit"}) {
    EXPECT_TRUE(silent[key].is_null()) << key;
  }
}

TEST_F(TrendViewTest, WhatWasWrittenAsJsonIsReadAgain) {
  const std::vector<LeakSuspect> leaks{{DeviceId{"GPU-a"}, 0, 42, "python3", 12_GiB, 300_MiB, 1.9e9, 3h},
                                       {DeviceId{"GPU-a"}, 0, 43, "x", 1_GiB, 300_MiB, 1e9, std::nullopt}};
  const auto text = trend_json(gather({}, leaks), false);
  const auto again = parse_trends(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(trend_json(*again, false), text);
  EXPECT_EQ(again->leaks, leaks);
  EXPECT_EQ(
      parse_trends("{}").error(),
      (Error{Errc::internal, "the daemon's trends are none that this gpukeeper understands: is it another version?"}));
  EXPECT_FALSE(parse_trends("null"));
  EXPECT_FALSE(parse_trends(R"({"schema":"gpukeeper.trend/2"})"));
  EXPECT_FALSE(
      parse_trends(R"({"schema":"gpukeeper.trend/1","taken_at":"","host":"","devices":[{"duration_minutes":"x"}],)"
                   R"("leak_suspects":[]})"));
}

TEST_F(TrendViewTest, EveryMemberIsInTheSchema) {
  const std::vector<LeakSuspect> leaks{{DeviceId{"GPU-a"}, 0, 42, "python3", 12_GiB, 300_MiB, 1.9e9, 3h}};
  const Json schema = Json::parse(trend_schema());
  const Json document = Json::parse(trend_json(gather({}, leaks), false));
  const auto expect_same = [](const Json& required, const Json& written) {
    Json names = Json::array();
    for (const auto& [name, value] : written.items()) names.push_back(name);
    EXPECT_EQ(required, names);
  };
  expect_same(schema["required"], document);
  expect_same(schema["$defs"]["device"]["required"], document["devices"][0]);
  expect_same(schema["$defs"]["leak"]["required"], document["leak_suspects"][0]);
}

TEST_F(TrendViewTest, ACurveOfFewReadingsHasNoHoles) {
  History slow;
  for (int i = 0; i < 27; ++i) slow.add(snapshot_ = Past::snapshot(2 * i + (i % 3) * 0.001, {Past::gpu(60)}));
  const auto view = gather_trends(slow, snapshot_, {}, {}, 5min).value();
  EXPECT_EQ(view.devices[0].recent, std::vector<std::optional<double>>(24, 60.0));
  EXPECT_EQ(view.devices[0].seen, 52s + 2ms);
  EXPECT_EQ(parse_trends(trend_json(view, false))->devices[0].seen, 52s + 2ms);
}

TEST_F(TrendViewTest, LeaksAreThoseOfTheChosenDevices) {
  const std::vector<LeakSuspect> leaks{{DeviceId{"GPU-a"}, 0, 42, "python3", 12_GiB, 300_MiB, 1.9e9, {}}};
  EXPECT_EQ(gather({"0"}, leaks).leaks.size(), 1u);
  EXPECT_TRUE(gather({"1"}, leaks).leaks.empty());
}

TemperatureTrend trend(double current, TrendDirection direction, double per_minute) {
  TemperatureTrend t;
  t.metric = "temperature_celsius";
  t.trend.current = current;
  t.trend.direction = direction;
  t.trend.per_minute = per_minute;
  return t;
}

TEST(TrendSentenceTest, ItSaysWhatAPersonWantsToKnow) {
  using enum TrendDirection;
  auto hot = trend(64.2, rising, 1.2);
  EXPECT_EQ(trend_sentence(hot), "64.2 °C, rising 1.2 °C/min");
  hot.limit = TrendLimit{85, "throttle"};
  hot.until = 260s;
  EXPECT_EQ(trend_sentence(hot), "64.2 °C, rising 1.2 °C/min; at this pace 85 °C in 4 min");
  EXPECT_EQ(trend_sentence(hot, false), "64.2 C, rising 1.2 C/min; at this pace 85 C in 4 min");
  EXPECT_EQ(trend_sentence(trend(50, falling, -0.04)), "50.0 °C, falling 2.4 °C/h");
  EXPECT_EQ(trend_sentence(trend(50, stable, 0.01)), "50.0 °C, stable");
  auto waves = trend(84, stable, 0.4);
  waves.trend.uneven = true;
  EXPECT_EQ(trend_sentence(waves), "84.0 °C, uneven");
  auto hotspot = trend(50, stable, 0);
  hotspot.metric = "temperature_hotspot_celsius";
  EXPECT_EQ(trend_sentence(hotspot), "50.0 °C at the hotspot, stable");
}

TEST(LeakSentenceTest, ItNamesTheProcessAndWhenTheMemoryIsFull) {
  LeakSuspect leak{DeviceId{"GPU-a"}, 2, 42, "python3", 12_GiB, 300_MiB, 1.8 * (1 << 30), 3h};
  EXPECT_EQ(leak_sentence(leak),
            "python3 (pid 42) keeps growing on GPU 2: 1.8 GiB an hour, 12.0 GiB now; the GPU's memory is full in 3 h");
  leak.full_in.reset();
  leak.name.clear();
  EXPECT_EQ(leak_sentence(leak), "a process (pid 42) keeps growing on GPU 2: 1.8 GiB an hour, 12.0 GiB now");
}

}  // namespace
}  // namespace gpukeeper
