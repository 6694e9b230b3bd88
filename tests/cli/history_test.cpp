#include "cli/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/past_of_daemon.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"
#include "played.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;
using enum HistoryOptions::Form;

const std::string kHeating = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/heating.yaml";

HistoryView view() {
  HistoryView view;
  view.from = kThen;
  view.to = kThen + 10min;
  view.step = 10s;
  auto& device = view.devices.emplace_back();
  device.index = "0";
  device.name = "NVIDIA L40S";
  auto& metric = device.metrics.emplace_back();
  metric.name = "temperature_celsius";
  metric.unit = "celsius";
  for (int i = 0; i < 60; ++i) {
    const double value = 40 + i * 50 / 59.0;
    metric.buckets.push_back(HistoryBucket{10, value, value, value, value});
  }
  return view;
}

TEST(HistoryPageTest, ACurveWithItsFacts) {
  auto one = view();
  one.devices[0].metrics.push_back(one.devices[0].metrics[0]);
  one.devices[0].metrics[1].name = "temperature_memory_celsius";
  EXPECT_THAT(render_history(one, {.width = 60}),
              StartsWith("GPU 0  NVIDIA L40S\n"
                         "  temperature_celsius  90 °C  from 40 to 90, 65.0 on average\n"
                         "   100 ┤                                                  ⢀⣀\n"
                         "    80 ┤                                     ⢀⣀⣀⣀⠤⠤⠤⠔⠒⠒⠒⠉⠉⠁\n"
                         "       │                        ⢀⣀⣀⣀⠤⠤⠤⠔⠒⠒⠒⠉⠉⠁\n"
                         "    60 ┤            ⢀⣀⣀⠤⠤⠤⠔⠒⠒⠒⠉⠉⠁\n"
                         "    40 ┤⣀⣀⠤⠤⠤⠔⠒⠒⠒⠉⠉⠉⠁\n"
                         "       └──────┬──────────┬─────────┬──────────┬─────────┬───\n"
                         "              20:28      20:30     20:32      20:34\n"));
}

TEST(HistoryPageTest, ASingleCurveIsHigher) {
  EXPECT_EQ(lines(render_history(view(), {.width = 60})).size(), 2u + 10 + 2);
}

TEST(HistoryPageTest, WhatWasNotMeasuredIsSaid) {
  auto nothing = view();
  nothing.devices[0].recorded = true;
  for (auto& bucket : nothing.devices[0].metrics[0].buckets) bucket.reset();
  EXPECT_EQ(render_history(nothing, {}),
            "GPU 0  NVIDIA L40S  recorded\n"
            "  temperature_celsius  nothing was measured in that time\n");
  nothing.devices[0].metrics.clear();
  EXPECT_EQ(render_history(nothing, {}),
            "GPU 0  NVIDIA L40S  recorded\n"
            "  nothing was measured in that time\n");
  EXPECT_EQ(render_history({}, {}), "There is no GPU: gpukeeper doctor says why.\n");
}

TEST(HistoryTest, TheUsualCurvesOfASimulatedMachine) {
  PlayedWorld world(kHeating);
  const auto exit = history({.sources = world.sources}, world.context);
  ASSERT_TRUE(exit) << exit.error().message;
  EXPECT_THAT(world.output(), HasSubstr("GPU 0  NVIDIA L40S  simulated\n"));
  for (const auto name : kUsualMetrics) EXPECT_THAT(world.output(), HasSubstr(std::string(name)));
  EXPECT_THAT(world.output(), HasSubstr("temperature_celsius  90 °C  from 40 to 90, "));
  const std::string page = world.output();
  for (const auto line : lines(page)) EXPECT_LE(display_width(line), 80u);
}

TEST(HistoryTest, AnyMetricMayBeNamedStoredUsuallyOrNot) {
  PlayedWorld world(kHeating);
  ASSERT_TRUE(history({.form = csv, .metrics = {"clock_sm_mhz"}, .step = 60s, .sources = world.sources, .length = 179s},
                      world.context));
  const std::string text = world.output();
  const auto rows = lines(text);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0], "time,index,uuid,metric,count,min,avg,max,last");
  EXPECT_THAT(std::string(rows[1]), HasSubstr(",clock_sm_mhz,60,"));
}

TEST(HistoryTest, SinceAndStepCutItDown) {
  PlayedWorld world(kHeating);
  ASSERT_TRUE(
      history({.form = json, .metrics = {"temperature_celsius"}, .since = "2m", .step = 30s, .sources = world.sources},
              world.context));
  const auto document = Json::parse(world.output());
  EXPECT_EQ(document["step_seconds"], 30.0);
  EXPECT_EQ(document["devices"][0]["metrics"][0]["buckets"].size(), 5u);
}

TEST(HistoryTest, SamplesAreKeptAsIsConfigured) {
  PlayedWorld world(kHeating);
  world.context.settings.engine.history.step = 10s;
  ASSERT_TRUE(history({.form = csv, .metrics = {"clock_sm_mhz"}, .step = 60s, .sources = world.sources, .length = 119s},
                      world.context));
  EXPECT_THAT(world.output(), HasSubstr(",clock_sm_mhz,6,"));
}

TEST(HistoryTest, WhatIsWrongIsRefused) {
  const auto refusal = [](HistoryOptions options) {
    PlayedWorld world(kHeating);
    options.sources = world.sources;
    options.length = 3s;
    return history(options, world.context).error();
  };
  EXPECT_EQ(
      refusal({.metrics = {"temperatur_celsius"}}),
      (Error{Errc::invalid_argument, "there is no metric 'temperatur_celsius': did you mean temperature_celsius?"}));
  EXPECT_EQ(refusal({.metrics = {"driver_version"}}).code, Errc::not_found);
  EXPECT_THAT(refusal({.since = "yesterday"}).message,
              StartsWith("since takes a time ago such as 90s, 30m, 24h or 7d, or a date such as "));
  EXPECT_EQ(refusal({.devices = {"GPU-none"}}).code, Errc::not_found);
}

TEST(HistoryPageTest, PeaksOfBucketsNarrowerThanAColumnAreNotLost) {
  auto fine = view();
  fine.step = 1s;
  auto& buckets = fine.devices[0].metrics[0].buckets;
  buckets.assign(600, HistoryBucket{1, 40, 40, 40, 40});
  buckets[301] = HistoryBucket{1, 40, 65, 90, 40};
  const std::string text = render_history(fine, {.width = 60});
  const auto page = lines(text);
  EXPECT_THAT(std::string(page[2]), StartsWith("    90 ┤    "));
  EXPECT_GT(display_width(page[2]), 8u);  // something is drawn at its height
}

TEST(DaemonTargetTest, ParametersAreEncodedAndEmptyOnesLeftOut) {
  EXPECT_EQ(target_of("/api/v1/history", {}), "/api/v1/history");
  EXPECT_EQ(target_of("/api/v1/history", {{"metric", "power_watts,fan_percent"}, {"device", ""}, {"since", "1 h&x=ü"}}),
            "/api/v1/history?metric=power_watts,fan_percent&since=1%20h%26x%3D%C3%BC");
}

}  // namespace
}  // namespace gpukeeper::cli
