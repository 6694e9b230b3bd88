#include "cli/alerts.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "captured.hpp"
#include "cli/alerts_page.hpp"
#include "fakes/snapshots.hpp"
#include "played.hpp"
#include "policy/andon/rule_table.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

Alert hot() {
  return {.id = "3",
          .rule = "thermal",
          .device = DeviceId{"GPU-aaaa"},
          .device_index = 0,
          .level = AlertLevel::critical,
          .severity = 80,
          .phase = AlertPhase::firing,
          .message = "GPU 0 thermal throttling: 93°C exceeds 80°C threshold",
          .remedy = "Look at the fans.",
          .since = kThen - 5min};
}

AlertsView view(AlertList alerts, Lamp lamp = Lamp::red) {
  return {.document = {.host = "gpu-box", .taken_at = kThen, .lamp = lamp, .devices = 2, .alerts = std::move(alerts)},
          .watched = "2 GPUs, for 10 min"};
}

const RenderOptions kPage{.width = 80, .now = kThen};

TEST(AlertsPageTest, SaysWhatWhereSinceWhenAndWhatToDo) {
  EXPECT_EQ(render_alerts(view({hot()}), kPage),
            "gpukeeper · gpu-box · ● red: 1 critical\n"
            "\n"
            "critical  GPU 0 thermal throttling: 93°C exceeds 80°C threshold\n"
            "          alert 3, rule thermal, GPU 0, since 2026-05-28 20:21:40 (5 min)\n"
            "          To do: Look at the fans.\n");
}

TEST(AlertsPageTest, SaysWhoTakesCareAndWhatIsQuiet) {
  Alert a = hot();
  a.acknowledged_by = "mara";
  a.comment = "a fan is ordered";
  a.acknowledged_until = kThen + 1h;
  a.silenced = true;
  a.unknown_since = kThen - 1min;
  const std::string page = render_alerts(view({a}), {.width = 200, .now = kThen});
  EXPECT_THAT(page, HasSubstr("mara takes care of it until 2026-05-28 21:26:40: a fan is ordered"));
  EXPECT_THAT(page, HasSubstr("not known any more since 2026-05-28 20:25:40, silenced by the configuration"));
}

TEST(AlertsPageTest, WhatIsMadeUpSaysSo) {
  AlertsView some = view({hot()});
  some.document.made_up[DeviceId{"GPU-aaaa"}] = "simulated";
  EXPECT_THAT(render_alerts(some, {.width = 200, .now = kThen}), HasSubstr("critical  simulated: GPU 0 thermal"));
}

TEST(AlertsPageTest, AllIsWellSaysWhatWasWatched) {
  EXPECT_EQ(render_alerts(view({}, Lamp::green), kPage),
            fmt::format("gpukeeper · gpu-box · ● green\n"
                        "\n"
                        "All is well: no alert fires. Watched: 2 GPUs, for 10 min; {} rules.\n",
                        rule_table().size()));
}

TEST(AlertsPageTest, WithoutAGpuNothingIsWell) {
  AlertsView none = view({}, Lamp::off);
  none.document.devices = 0;
  EXPECT_EQ(render_alerts(none, kPage),
            "gpukeeper · gpu-box · ● no light\n"
            "\n"
            "There is no GPU: gpukeeper doctor says why.\n");
}

TEST(AlertsPageTest, WhatIsNotShownIsCounted) {
  AlertsView some = view({}, Lamp::green);
  some.others = 2;
  EXPECT_THAT(render_alerts(some, {.width = 200}),
              HasSubstr("2 more have not lasted long enough yet, or are over: gpukeeper alerts --all"));
}

TEST(AlertsPageTest, AnAlertThatIsOverAsksForNothing) {
  Alert over = hot();
  over.phase = AlertPhase::resolved;
  over.resolved_at = kThen;
  const std::string page = render_alerts(view({over}, Lamp::green), {.width = 200, .now = kThen});
  EXPECT_THAT(page, HasSubstr("from 2026-05-28 20:21:40 to 2026-05-28 20:26:40, resolved"));
  EXPECT_THAT(page, Not(HasSubstr("To do")));
}

TEST(AlertsPageTest, ForeignTextIsHarmless) {
  Alert a = hot();
  a.message = "GPU 0: process 7 (\x1b[2Jx\n\xff) looks like a miner";
  a.acknowledged_by = "\x1b]0;x\a";
  const std::string page = render_alerts(view({a}), {.width = 200, .now = kThen});
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, HasSubstr("GPU 0: process 7 (?[2Jx?\?) looks like a miner"));
}

TEST(AlertsPageTest, SilencesAreATable) {
  EXPECT_EQ(render_silences({}, kPage), "There are no silences.\n");
  const std::string page = render_silences({{.matcher = {.rule = "ecc"}, .by = "configuration"},
                                            {.id = "4",
                                             .matcher = {.device = "0", .level = AlertLevel::warning},
                                             .until = kThen,
                                             .by = "mara",
                                             .comment = "service"}},
                                           {.width = 200});
  EXPECT_THAT(page, HasSubstr("-   ecc"));
  EXPECT_THAT(page, HasSubstr("configured"));
  EXPECT_THAT(page, HasSubstr("2026-05-28 20:26:40"));
  EXPECT_THAT(page, HasSubstr("service"));
}

TEST(AlertsPageTest, RulesAreATable) {
  const std::string page = render_alert_rules({.width = 200});
  for (const Rule& rule : rule_table()) EXPECT_THAT(page, HasSubstr(std::string(rule.id)));
  EXPECT_THAT(page, HasSubstr("80 °C"));
}

TEST(AlertsTest, TheExitStatusOfACheckIsTheLamps) {
  EXPECT_EQ(status_of(Lamp::green), 0);
  EXPECT_EQ(status_of(Lamp::yellow), 3);
  EXPECT_EQ(status_of(Lamp::red), 4);
  EXPECT_EQ(status_of(Lamp::off), 5);

  const std::string heating = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/heating.yaml";
  const auto check = [](const std::string& source, AlertsOptions options) {
    PlayedWorld world(source);
    world.context.settings.source = world.sources;
    options.sources = world.sources;
    return alerts(options, world.context);
  };
  // It reaches 80 °C after 480 s and 90 °C after 600 s; a warning fires after two minutes, what is critical at once.
  EXPECT_EQ(check(heating, {.check = true, .length = 100s}), 0);
  EXPECT_EQ(check(heating, {.check = true, .length = 640s}), 4);
  EXPECT_EQ(check(heating, {.json = true, .check = true, .devices = {"0"}, .length = 640s}), 4);
  EXPECT_EQ(check(heating, {.length = 640s}), 0) << "nobody asked for it";
  const std::string two = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml";
  EXPECT_EQ(check(two, {.check = true, .devices = {"9"}, .length = 2s}).error().code, Errc::not_found);
  EXPECT_EQ(check(heating, {.words = {"rules"}, .check = true}).error(),
            (Error{Errc::invalid_argument, "--check looks at the lamp: it goes with no action"}));
}

TEST(AlertsTest, TheLampIsThatOfTheGpusThatAreShown) {
  PlayedWorld world("simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/faults.yaml");
  world.context.settings.source = world.sources;
  ASSERT_TRUE(alerts({.devices = {"6"}, .length = 100s, .sources = world.sources}, world.context));
  EXPECT_THAT(world.output(), HasSubstr("● green"));
  EXPECT_THAT(world.output(), HasSubstr("All is well: no alert fires. Watched: 1 GPU, for 100 s;"));
}

// What is wrong with the words, before any daemon is looked for.
TEST(AlertsTest, WhatIsWrongIsSaid) {
  struct Case {
    std::vector<std::string> words;
    const char* message;
  };
  const Case cases[] = {
      {{"akc", "3"}, "alerts has no 'akc': did you mean ack?"},
      {{"xyz"}, "alerts has no 'xyz': there are ack, unack, silence, unsilence, silences, rules and test"},
      {{"test"}, "test takes the name of one sink: gpukeeper alerts test ops"},
      {{"test", "a", "b"}, "test takes the name of one sink: gpukeeper alerts test ops"},
      {{"ack"}, "ack takes one id, as gpukeeper alerts shows it: gpukeeper alerts ack 7"},
      {{"ack", "1", "2"}, "ack takes one id, as gpukeeper alerts shows it: gpukeeper alerts ack 7"},
      {{"unack", "../x"}, "an id is a number, not '../x': gpukeeper alerts unack 7"},
      {{"unsilence"}, "unsilence takes one id, as gpukeeper alerts silences shows it: gpukeeper alerts unsilence 7"},
      {{"silence"},
       "say what to silence: gpukeeper alerts silence rule=thermal device=0 --for 2h; rule=* is everything"},
      {{"silence", "gpu=0"}, "what to silence is said by rule=…, device=… and level=…, not 'gpu=0'"},
      {{"silence", "rule=ecc", "ecc"}, "rule= stands twice"},
      {{"silence", "ecc"}, "a silence needs an end: --for 2h"},
      {{"rules", "x"}, "alerts rules takes no argument 'x'"},
  };
  for (const Case& each : cases) {
    Captured world;
    const auto exit = alerts({.words = each.words}, world.context);
    ASSERT_FALSE(exit) << each.message;
    EXPECT_EQ(exit.error(), (Error{Errc::invalid_argument, each.message}));
  }
}

}  // namespace
}  // namespace gpukeeper::cli
