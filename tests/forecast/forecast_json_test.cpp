#include "forecast/forecast_json.hpp"

#include <gtest/gtest.h>

#include "format/json_text.hpp"

namespace gpukeeper::forecast {
namespace {

using namespace std::chrono_literals;

ForecastView view() {
  ForecastView::MetricPart temperature{.metric = "temperature_celsius",
                                       .current = 64.25,
                                       .known = 2h,
                                       .ahead = {{.ahead = 60s,
                                                  .point = Point{.ahead = 60s,
                                                                 .expected = 66,
                                                                 .low = 65,
                                                                 .high = 67.5,
                                                                 .course = Course::power,
                                                                 .error = 0.4,
                                                                 .error_if_stays = 1.9,
                                                                 .forecasts = 700,
                                                                 .stretches = 110},
                                                  .reason = ""},
                                                 {.ahead = 3600s, .point = {}, .reason = "too little"}},
                                       .limits = {{.name = "throttle",
                                                   .value = 85,
                                                   .crossing = {.reach = Reach::expected,
                                                                .within = 60s,
                                                                .earliest = 40s,
                                                                .expected = 50s,
                                                                .latest = std::nullopt}}},
                                       .reason = ""};
  ForecastView::MetricPart memory{.metric = "memory_used_bytes",
                                  .current = {},
                                  .known = 0s,
                                  .ahead = {},
                                  .limits = {},
                                  .reason = "nothing was measured"};
  return {.taken_at = WallTime(1780000000s),
          .host = "box",
          .devices = {{.index = "0",
                       .id = "GPU-a",
                       .name = "NVIDIA L40S",
                       .simulated = true,
                       .recorded = false,
                       .metrics = {temperature, memory}}}};
}

TEST(ForecastJsonTest, SaysWhatIsExpectedAndHowFarOffThatIs) {
  const Json document = Json::parse(forecast_json(view(), false));
  EXPECT_EQ(document["schema"], "gpukeeper.forecast/1");
  EXPECT_EQ(document["stated_share"], 0.8);
  const Json& metric = document["devices"][0]["metrics"][0];
  EXPECT_EQ(metric["unit"], "celsius");
  EXPECT_EQ(metric["known_seconds"], 7200);
  EXPECT_EQ(metric["horizons"][0]["course"], "power");
  EXPECT_EQ(metric["horizons"][0]["error_if_it_stays"], 1.9);
  EXPECT_EQ(metric["horizons"][0]["past_stretches"], 110);
  EXPECT_TRUE(metric["horizons"][1]["expected"].is_null());
  EXPECT_EQ(metric["horizons"][1]["reason"], "too little");
  EXPECT_EQ(metric["limits"][0]["reach"], "expected");
  EXPECT_TRUE(metric["limits"][0]["latest_seconds"].is_null());
  EXPECT_EQ(document["devices"][0]["metrics"][1]["reason"], "nothing was measured");
}

TEST(ForecastJsonTest, IsReadAsItWasWritten) {
  const std::string text = forecast_json(view(), true);
  const auto read = parse_forecasts(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(forecast_json(*read, true), text);
}

TEST(ForecastJsonTest, TimesAndValuesThatCannotBeAreAsIfTheyWereNotThere) {
  const auto odd = parse_forecasts(R"({"schema": "gpukeeper.forecast/1", "devices": [{"metrics": [{
      "current": 1e300, "known_seconds": 9223372036854775807,
      "horizons": [{"seconds": 60, "expected": 1e300, "low": 1, "high": 2}],
      "limits": [{"reach": "expected", "within_seconds": -5, "expected_seconds": 9223372036854775807}]}]}]})");
  ASSERT_TRUE(odd);
  const auto& metric = odd->devices[0].metrics[0];
  EXPECT_FALSE(metric.current);
  EXPECT_EQ(metric.known, 0s);
  EXPECT_FALSE(metric.ahead[0].point);
  EXPECT_EQ(metric.limits[0].crossing.within, 0s);
  EXPECT_FALSE(metric.limits[0].crossing.expected);
  EXPECT_EQ(metric.limits[0].crossing.reach, Reach::unknown);
}

TEST(ForecastJsonTest, SomethingElseIsRefused) {
  for (const std::string text : {"", "[]", "null", R"({"schema": "gpukeeper.trend/1"})", "{"}) {
    const auto read = parse_forecasts(text);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::internal);
  }
  // What is missing or of another type is as if it were not there.
  const auto odd = parse_forecasts(
      R"({"schema": "gpukeeper.forecast/1", "devices": [7, {"metrics": [null, {"horizons": [{"seconds": "x"}]}]}]})");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->devices.size(), 2U);
  EXPECT_FALSE(odd->devices[1].metrics[1].ahead[0].point);
}

}  // namespace
}  // namespace gpukeeper::forecast
