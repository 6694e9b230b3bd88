#include "cli/trend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/json_text.hpp"
#include "played.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string kHeating = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/heating.yaml";

TrendView::DevicePart heating() {
  TrendView::DevicePart part;
  part.index = "0";
  part.id = "GPU-a";
  part.name = "NVIDIA L40S";
  for (int i = 0; i < 8; ++i) part.recent.emplace_back(40 + i);
  part.seen = 300s;
  part.trend.emplace();
  part.trend->metric = "temperature_celsius";
  part.trend->trend = {.count = 301,
                       .current = 64.2,
                       .min = 41,
                       .max = 64.2,
                       .avg = 52.1,
                       .direction = TrendDirection::rising,
                       .is_stable = false,
                       .per_minute = 4.6};
  part.trend->limit = TrendLimit{85, "throttle"};
  part.trend->until = 271s;
  return part;
}

TEST(TrendPageTest, ACurveASentenceAndTheFacts) {
  EXPECT_EQ(render_trends({.taken_at = {}, .host = {}, .window = 5min, .devices = {heating()}, .leaks = {}}, {}),
            "GPU 0  NVIDIA L40S  the last 5 min\n"
            "  ▁▂▃▄▅▆▇█\n"
            "  64.2 °C, rising 4.6 °C/min; at this pace 85 °C in 4 min\n"
            "  301 readings, 41.0 to 64.2 °C, 52.1 on average\n");
}

TEST(TrendPageTest, WithoutUtf8AndWithSpikes) {
  auto part = heating();
  part.simulated = true;
  part.trend->trend.spikes = 2;
  EXPECT_EQ(
      render_trends({.taken_at = {}, .host = {}, .window = 5min, .devices = {part}, .leaks = {}}, {.utf8 = false}),
      "GPU 0  NVIDIA L40S  simulated  the last 5 min\n"
      "  _.-:=+*#\n"
      "  64.2 C, rising 4.6 C/min; at this pace 85 C in 4 min\n"
      "  301 readings, 41.0 to 64.2 C, 52.1 on average; 2 of them so far off that they\n"
      "  are not counted\n");
}

TEST(TrendPageTest, TheTimeThatWasSeenIsNamed) {
  auto part = heating();
  part.seen = 54s;
  EXPECT_THAT(render_trends({.window = 5min, .devices = {part}, .leaks = {}}, {}),
              HasSubstr("GPU 0  NVIDIA L40S  the last 54 s\n"));
}

TEST(TrendPageTest, AReasonStandsWhereThereIsNoTrend) {
  TrendView::DevicePart silent{
      .index = "1", .id = "GPU-b", .name = "Card \x1b[31m", .reason = "no temperature of GPU-b"};
  EXPECT_EQ(render_trends({.taken_at = {}, .host = {}, .window = 9min, .devices = {silent}, .leaks = {}}, {}),
            "GPU 1  Card ?[31m  the last 9 min\n"
            "  no temperature of GPU-b\n");
  EXPECT_EQ(render_trends({}, {}), "There is no GPU: gpukeeper doctor says why.\n");
}

TEST(TrendPageTest, ProcessesThatOnlyGrowAreNamedHarmlessly) {
  const LeakSuspect leak{DeviceId{"GPU-a"}, 0, 42, "py\x1b[2Jthon", 12_GiB, 300_MiB, 1.8 * (1 << 30), 3h};
  EXPECT_THAT(render_trends({.taken_at = {}, .host = {}, .window = 5min, .devices = {heating()}, .leaks = {leak}}, {}),
              HasSubstr("\n\n! py?[2Jthon (pid 42) keeps growing on GPU 0: 1.8 GiB an hour, 12.0 GiB now; the\n"
                        "! GPU's memory is full in 3 h\n"));
}

TEST(TrendTest, ASimulatedMachineThatHeatsIsRising) {
  PlayedWorld world(kHeating);
  const auto exit = trend({.sources = world.sources}, world.context);
  ASSERT_TRUE(exit) << exit.error().message;
  EXPECT_EQ(*exit, 0);
  EXPECT_THAT(world.output(), HasSubstr("GPU 0  NVIDIA L40S  simulated  the last 5 min\n"));
  EXPECT_THAT(world.output(), HasSubstr("90.0 °C, rising 5.0 °C/min; at this pace 92 °C in 23 s\n"));
}

TEST(TrendTest, TheLimitIsTheOneThatTheGovernorHoldsTheGpuTo) {
  PlayedWorld world(kHeating);
  GovernorSettings& settings = world.context.settings.engine.governor;
  settings.vendors[Vendor::nvidia] = {.temp_throttle = Celsius(88)};
  ASSERT_TRUE(trend({.sources = world.sources, .length = 240s}, world.context));
  EXPECT_THAT(world.output(), HasSubstr("; at this pace 88 °C in "));

  PlayedWorld automatic(kHeating);
  automatic.context.settings.engine.governor.temp_auto.enabled = true;  // the card slows itself down at 92 °C
  ASSERT_TRUE(trend({.sources = automatic.sources, .length = 240s}, automatic.context));
  EXPECT_THAT(automatic.output(), HasSubstr("; at this pace 91 °C in "));
}

TEST(TrendTest, AsMuchTimeIsPlayedAsIsLookedAt) {
  PlayedWorld world(kHeating);
  ASSERT_TRUE(trend({.window = 20min, .form = TrendOptions::Form::json, .sources = world.sources}, world.context));
  const auto document = Json::parse(world.output());
  EXPECT_EQ(document["devices"][0]["duration_minutes"], 20);
  EXPECT_EQ(document["devices"][0]["sample_count"], 1201);
}

TEST(TrendTest, ADeviceThatThereIsNotIsAnError) {
  PlayedWorld world(kHeating);
  const auto exit = trend({.devices = {"7"}, .sources = world.sources, .length = 2s}, world.context);
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error(),
            (Error{Errc::not_found,
                   "there is no GPU '7': there is only GPU 0; gpukeeper devices lists their UUIDs and PCI addresses"}));
}

}  // namespace
}  // namespace gpukeeper::cli
