#include "cli/throttle.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "captured.hpp"
#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"
#include "played.hpp"

namespace gpukeeper::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Action = ThrottleOptions::Action;
using Form = ThrottleOptions::Form;

Throttling full() {
  return {.state = State::optimal, .state_since = kThen};
}

Throttling hot(double speed, std::string reason) {
  return {.state = State::throttled,
          .state_since = kThen,
          .speed_multiplier = speed,
          .requests = {
              {.cause = ThrottleCause::thermal, .multiplier = speed, .reason = std::move(reason), .since = kThen}}};
}

Snapshot two(Throttling first, Throttling second) {
  Snapshot snapshot = machine({device(0, facts("GPU-a", "NVIDIA H200", "0000:01:00.0"), busy()),
                               device(1, facts("GPU-b", "NVIDIA H200", "0000:02:00.0"), busy())});
  snapshot.devices[0].throttling = std::move(first);
  snapshot.devices[1].throttling = std::move(second);
  return snapshot;
}

// A daemon that remembers what it was asked.
struct FakeDaemon {
  std::vector<std::string> asked;
  std::vector<Result<std::string>> answers;  // the last again and again

  FindDaemon find() {
    return [this]() -> Result<AskDaemon> {
      return AskDaemon([this](std::string_view method, std::string_view target, std::string_view json) {
        asked.push_back(fmt::format("{} {} {}", method, target, json));
        const auto answer = answers.front();
        if (answers.size() > 1) answers.erase(answers.begin());
        return answer;
      });
    };
  }
};

Result<AskDaemon> nobody() {
  return fail(Errc::not_found, "no gpukeeper daemon answers at unix:/run/x: start one with 'gpukeeper serve'");
}

TEST(ThrottleTest, ThePageSaysWhoIsSlowAndWhy) {
  Snapshot snapshot = two(full(), hot(0.5, "84 °C, above 75 °C (temp_normal)"));
  snapshot.devices[1].throttling.requests.push_back({.cause = ThrottleCause::operator_request,
                                                     .multiplier = 0.8,
                                                     .reason = "asked for by root",
                                                     .since = kThen,
                                                     .until = snapshot.monotonic + 90s});
  Captured world({snapshot});
  const auto exit = throttle({.here = true}, nobody, world.context);
  EXPECT_EQ(exit, kShouldThrottle);
  EXPECT_EQ(world.out.text.substr(world.out.text.find('\n') + 1),
            "Work should go at half speed because of GPU 1.\n"
            "\n"
            "GPU  NAME         STATE      SPEED\n"
            "0    NVIDIA H200  optimal    full speed\n"
            "1    NVIDIA H200  throttled  half speed\n"
            "     thermal: 84 °C, above 75 °C (temp_normal)\n"
            "     operator: asked for by root; for 90 s more\n"
            "\n"
            "No daemon runs here: this is what one look shows. Pauses and cooldowns of before\n"
            "are known to 'gpukeeper serve'.\n");
}

TEST(ThrottleTest, WorkThatMayGoOnIsExitStatusZero) {
  Captured world({two(full(), full())});
  EXPECT_EQ(throttle({.here = true}, nobody, world.context), 0);
  EXPECT_THAT(world.out.text, HasSubstr("Work may go at full speed.\n"));
  Captured slower({two(full(), hot(0.8, "70 °C"))});
  EXPECT_EQ(throttle({.here = true}, nobody, slower.context), 0);
  Captured chosen({two(full(), hot(0, "90 °C"))});
  EXPECT_EQ(throttle({.devices = {"0"}, .here = true}, nobody, chosen.context), 0);
  Captured paused({two(full(), hot(0, "90 °C"))});
  EXPECT_EQ(throttle({.devices = {"1"}, .here = true}, nobody, paused.context), kShouldThrottle);
  EXPECT_THAT(paused.out.text, HasSubstr("Work should pause.\n"));
}

TEST(ThrottleTest, ADaemonThatRunsIsAskedFirst) {
  Captured world;
  FakeDaemon daemon;
  daemon.answers = {throttle_report_json(throttle_report(two(full(), hot(0.5, "80 °C"))), false)};
  EXPECT_EQ(throttle({}, daemon.find(), world.context), kShouldThrottle);
  EXPECT_THAT(daemon.asked, ElementsAre("GET /api/v1/throttle "));
  EXPECT_THAT(world.out.text, HasSubstr("thermal: 80 °C"));
  EXPECT_THAT(world.out.text, testing::Not(HasSubstr("No daemon runs here")));
}

TEST(ThrottleTest, WhatTheDaemonHoldsItselfStandsWithItsGpu) {
  Captured world;
  FakeDaemon daemon;
  ThrottleReport report = throttle_report(two(full(), hot(0.5, "80 °C")));
  report.changes = {
      {.uuid = "GPU-b", .kind = "power_limit", .found = "700 W", .set = "350 W", .effective = "351 W", .since = kThen},
      {.uuid = "GPU-b",
       .kind = "freeze",
       .place = "/jobs/x\x1b[2J",
       .found = "running",
       .set = "frozen",
       .since = kThen},
      {.uuid = "GPU-b", .kind = "fan", .problem = "set the fan: no permission"},
      {.uuid = "GPU-gone", .kind = "power_limit", .found = "700 W", .set = "350 W", .since = kThen}};
  daemon.answers = {throttle_report_json(report, false)};
  EXPECT_EQ(throttle({}, daemon.find(), world.context), kShouldThrottle);
  EXPECT_THAT(world.out.text, testing::EndsWith("     thermal: 80 °C\n"
                                                "     power limit: 350 W (now: 351 W), was 700 W\n"
                                                "     freeze /jobs/x?[2J: frozen, was running\n"
                                                "     fan: set the fan: no permission\n"
                                                "GPU-gone, which is not there: power limit: 350 W, was 700 W\n"));
  world.out.text.clear();
  EXPECT_EQ(throttle({.form = Form::json}, daemon.find(), world.context), kShouldThrottle);
  EXPECT_EQ(Json::parse(world.out.text)["changes"][0]["effective"], "351 W");
}

TEST(ThrottleTest, TheDaemonKnowsWhatASelectorMeans) {
  Captured world;
  FakeDaemon daemon;
  const Snapshot all = two(hot(0, "90 °C"), full());
  Snapshot one = all;
  one.devices.erase(one.devices.begin());
  daemon.answers = {throttle_report_json(throttle_report(all), false),
                    throttle_report_json(throttle_report(one), false)};
  EXPECT_EQ(throttle({.devices = {"0000:02:00.0"}}, daemon.find(), world.context), 0);
  EXPECT_THAT(daemon.asked, ElementsAre("GET /api/v1/throttle ", "GET /api/v1/throttle?device=0000%3A02%3A00%2E0 "));
  EXPECT_THAT(world.out.text, testing::Not(HasSubstr("\n0  ")));
}

TEST(ThrottleTest, WithoutADaemonThisProcessLooksUnlessOneWasNamed) {
  Captured world({two(full(), full())});
  EXPECT_EQ(throttle({}, nobody, world.context), 0);
  Captured named({two(full(), full())});
  const auto exit = throttle({.daemon_named = true}, nobody, named.context);
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().message, "no gpukeeper daemon answers at unix:/run/x: start one with 'gpukeeper serve'");
}

TEST(ThrottleTest, ASimulatedMachineIsGovernedAsIsConfigured) {
  const auto why = [](void (*change)(GovernorSettings&)) {
    PlayedWorld world("simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/heating.yaml");
    change(world.context.settings.engine.governor);
    world.context.settings.engine.governor.thresholds.memory_optimal = Percent(99);
    world.context.settings.engine.governor.thresholds.memory_normal = Percent(99.5);
    world.context.settings.engine.governor.thresholds.memory_critical = Percent(100);
    EXPECT_TRUE(throttle({.form = Form::json, .sources = world.sources, .here = true}, nobody, world.context));
    const auto document = Json::parse(world.output());
    const Json& requests = document["devices"][0]["requests"];
    return requests.empty() ? std::string() : requests[0]["reason"].get<std::string>();
  };
  EXPECT_EQ(why([](GovernorSettings&) {}), "");
  EXPECT_EQ(why([](GovernorSettings& s) { s.thresholds.temp_optimal = Celsius(30); }),
            "45 °C, above 30 °C (temp_optimal)");
  EXPECT_EQ(why([](GovernorSettings& s) { s.load_throttle_percent = Percent(90); }),
            "100 % utilization, above 90 % for 30 s or longer (load_throttle_percent)");
}

TEST(ThrottleTest, WaitsUntilWorkMayGoOnAndSaysWhatItWaitsFor) {
  using enum Interrupts::Event;
  Captured world(
      {two(full(), hot(0, "90 °C")), two(full(), hot(0, "89 °C")), two(full(), hot(0.5, "80 °C")), two(full(), full())},
      {due, due, resized, due});
  EXPECT_EQ(throttle({.wait = true, .here = true}, nobody, world.context), 0);
  EXPECT_THAT(world.out.text, HasSubstr("thermal: 90 °C"));
  EXPECT_THAT(world.out.text, testing::Not(HasSubstr("thermal: 89 °C"))) << "only what it waits for is said again";
  EXPECT_THAT(world.out.text, HasSubstr("thermal: 80 °C"));
  EXPECT_TRUE(world.out.text.ends_with("full speed\n"));
}

TEST(ThrottleTest, AWaitThatIsInterruptedLeavesWorkHeldBack) {
  Captured world({two(full(), hot(0, "90 °C"))}, {Interrupts::Event::due});
  EXPECT_EQ(throttle({.wait = true, .here = true}, nobody, world.context), kShouldThrottle);
}

TEST(ThrottleTest, JsonIsTheReport) {
  Captured world({two(full(), hot(0.5, "80 °C"))});
  EXPECT_EQ(throttle({.form = Form::json, .here = true}, nobody, world.context), kShouldThrottle);
  const Json json = Json::parse(world.out.text);
  EXPECT_EQ(json["schema"], "gpukeeper.throttle/1");
  EXPECT_EQ(json["should_throttle"], true);
  EXPECT_EQ(json["devices"][1]["requests"][0]["reason"], "80 °C");
}

TEST(ThrottleTest, SetAndClearNeedADaemon) {
  Captured world;
  FakeDaemon daemon;
  daemon.answers = {std::string("{}")};
  EXPECT_EQ(throttle({.action = Action::set, .speed_multiplier = 0.5, .length = 10min, .devices = {"0", "1"}},
                     daemon.find(), world.context),
            0);
  EXPECT_EQ(throttle({.action = Action::set, .speed_multiplier = 0}, daemon.find(), world.context), 0);
  EXPECT_EQ(throttle({.action = Action::clear, .devices = {"0"}}, daemon.find(), world.context), 0);
  EXPECT_EQ(throttle({.action = Action::clear}, daemon.find(), world.context), 0);
  EXPECT_THAT(daemon.asked,
              ElementsAre(R"(PUT /api/v1/throttle {"speed_multiplier":0.5,"seconds":600.0,"devices":["0","1"]})",
                          R"(PUT /api/v1/throttle {"speed_multiplier":0.0})", "DELETE /api/v1/throttle?device=0 ",
                          "DELETE /api/v1/throttle "));
  EXPECT_EQ(world.out.text,
            "Half speed on GPU 0, 1 for 10 min.\n"
            "Work should pause on every GPU until 'gpukeeper throttle clear'.\n"
            "Nobody asks for less on GPU 0 alone any more.\n"
            "Nobody asks for less any more.\n");
  const auto alone = throttle({.action = Action::clear}, nobody, world.context);
  ASSERT_FALSE(alone);
  daemon.answers = {fail(Errc::not_permitted, "only root may")};
  const auto refused = throttle({.action = Action::set}, daemon.find(), world.context);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "only root may");
}

TEST(ThrottleTest, WhatADaemonSaysIsHarmlessOnATerminal) {
  Captured world;
  FakeDaemon daemon;
  Snapshot snapshot = two(full(), hot(0.5, "evil \x1b[2J"));
  snapshot.host = "box\x1b]0;x\x07";
  daemon.answers = {throttle_report_json(throttle_report(snapshot), false)};
  EXPECT_EQ(throttle({}, daemon.find(), world.context), kShouldThrottle);
  EXPECT_EQ(world.out.text.find('\x1b'), std::string::npos);
}

TEST(ThrottleTest, ADaemonThatAnswersSomethingElseIsAnError) {
  Captured world;
  FakeDaemon daemon;
  daemon.answers = {std::string("<html>")};
  const auto exit = throttle({}, daemon.find(), world.context);
  ASSERT_FALSE(exit);
  EXPECT_THAT(exit.error().message, HasSubstr("that is no answer to how fast work may go"));
}

}  // namespace
}  // namespace gpukeeper::cli
