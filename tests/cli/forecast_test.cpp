#include "cli/forecast.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/json_text.hpp"
#include "played.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using forecast::Course;
using forecast::ForecastView;
using forecast::Reach;
using testing::HasSubstr;

const std::string kTwo = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml";

ForecastView one() {
  const forecast::Point soon{.ahead = 60s,
                             .expected = 66,
                             .low = 65.1,
                             .high = 67.5,
                             .course = Course::power,
                             .error = 0.4,
                             .error_if_stays = 1.9,
                             .forecasts = 700,
                             .stretches = 110};
  ForecastView::MetricPart temperature{
      .metric = "temperature_celsius",
      .current = 64,
      .known = 2h,
      .ahead = {{.ahead = 60s, .point = soon, .reason = ""},
                {.ahead = 300s, .point = {}, .reason = "too little is known"}},
      .limits = {{"throttle",
                  85,
                  {.reach = Reach::expected, .within = 60s, .earliest = 40s, .expected = 50s, .latest = std::nullopt}},
                 {"slowdown",
                  92,
                  {.reach = Reach::possible,
                   .within = 60s,
                   .earliest = 55s,
                   .expected = std::nullopt,
                   .latest = std::nullopt}}},
      .reason = ""};
  ForecastView::MetricPart memory{.metric = "memory_used_bytes",
                                  .current = {},
                                  .known = 0s,
                                  .ahead = {},
                                  .limits = {{"full", 48e9, {}}},
                                  .reason = "nothing was measured"};
  return {.taken_at = {},
          .host = {},
          .devices = {{.index = "0",
                       .id = "GPU-a",
                       .name = "NVIDIA L40S",
                       .simulated = false,
                       .recorded = false,
                       .metrics = {temperature, memory}}}};
}

TEST(ForecastPageTest, RowsThenLimitsThenWhatCannotBeSaid) {
  EXPECT_EQ(render_forecasts(one(), {}),
            "GPU 0  NVIDIA L40S  from 2 h of readings\n"
            "METRIC         IN  EXPECTED  8 OF 10 LIE IN   OFF BY  IF STAYING  HOW\n"
            "temperature  60 s   66.0 °C  65.1 to 67.5 °C  0.4 °C      1.9 °C  power\n"
            "  throttle at 85.0 °C: in 50 s; 40 s at the earliest, perhaps not within 60 s\n"
            "  slowdown at 92.0 °C: not expected within 60 s, and possible in 55 s\n"
            "  temperature: too little is known\n"
            "  memory full at 44.7 GiB: cannot be said\n"
            "  memory: nothing was measured\n");
}

TEST(ForecastPageTest, WithoutUtf8AndWithoutAGpu) {
  EXPECT_THAT(render_forecasts(one(), {.utf8 = false}), HasSubstr("throttle at 85.0 C: in 50 s"));
  EXPECT_EQ(render_forecasts({}, {}), "There is no GPU: gpukeeper doctor says why.\n");
}

TEST(ForecastPageTest, LimitsInWords) {
  auto view = one();
  auto& limits = view.devices[0].metrics[0].limits;
  limits[0].crossing = {.reach = Reach::reached, .within = 3600s, .earliest = {}, .expected = {}, .latest = {}};
  limits[1].crossing = {.reach = Reach::not_within, .within = 3600s, .earliest = {}, .expected = {}, .latest = {}};
  const std::string page = render_forecasts(view, {});
  EXPECT_THAT(page, HasSubstr("  throttle at 85.0 °C: is there already\n"));
  EXPECT_THAT(page, HasSubstr("  slowdown at 92.0 °C: not within 60 min\n"));
  limits[0].crossing = {.reach = Reach::expected, .within = 3600s, .earliest = 240s, .expected = 360s, .latest = 540s};
  EXPECT_THAT(render_forecasts(view, {}), HasSubstr("in 6 min; 4 min at the earliest, 9 min at the latest\n"));
}

TEST(ForecastTest, ASimulatedMachineIsPlayedAndForecast) {
  PlayedWorld world(kTwo);
  const auto exit =
      forecast({.form = ForecastOptions::Form::json, .sources = world.sources, .length = 25min}, world.context);
  ASSERT_TRUE(exit) << exit.error().message;
  const Json document = Json::parse(world.output());
  EXPECT_EQ(document["devices"].size(), 2U);
  const Json& quiet = document["devices"][1]["metrics"][0];
  EXPECT_EQ(quiet["metric"], "temperature_celsius");
  EXPECT_FALSE(quiet["horizons"][1]["expected"].is_null());
  EXPECT_THAT(quiet["horizons"][2]["reason"].get<std::string>(), HasSubstr("62 min of unbroken readings are needed"));
}

TEST(ForecastTest, ADeviceThatThereIsNotIsAnError) {
  PlayedWorld world(kTwo);
  const auto exit = forecast({.devices = {"7"}, .sources = world.sources, .length = 2s}, world.context);
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().code, Errc::not_found);
}

}  // namespace
}  // namespace gpukeeper::cli
