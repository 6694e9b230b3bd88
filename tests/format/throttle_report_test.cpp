#include "format/throttle_report.hpp"

#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

Snapshot slow_machine() {
  Snapshot snapshot = four_gpus();
  snapshot.devices[0].throttling = {.state = State::optimal, .state_since = snapshot.taken_at};
  snapshot.devices[1].throttling = {
      .state = State::throttled,
      .state_since = snapshot.taken_at,
      .speed_multiplier = 0,
      .requests = {
          {.cause = ThrottleCause::operator_request,
           .multiplier = 0,
           .reason = "asked for by \x1b[2Jroot",
           .since = snapshot.taken_at,
           .until = snapshot.monotonic + std::chrono::seconds(90)},
          {.cause = ThrottleCause::thermal, .multiplier = 0.5, .reason = "80 °C", .since = snapshot.taken_at}}};
  return snapshot;
}

TEST(ThrottleReportTest, IsTheSameWrittenAndReadBack) {
  ThrottleReport report = throttle_report(slow_machine());
  report.changes = {{.uuid = "GPU-a",
                     .kind = "power_limit",
                     .place = "nvml",
                     .found = "700 W",
                     .set = "350 W",
                     .effective = "350 W",
                     .reason = "84 °C",
                     .since = report.taken_at,
                     .problem = ""},
                    {.uuid = "GPU-a", .kind = "fan", .place = "nvml", .problem = "set the fan: no permission"}};
  EXPECT_EQ(report.speed, 0);
  EXPECT_TRUE(report.should_throttle());
  const auto back = parse_throttle_report(throttle_report_json(report, false));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(throttle_report_json(*back, true), throttle_report_json(report, true));
  EXPECT_EQ(back->devices[1].requests[0].until, report.taken_at + std::chrono::seconds(90));
  EXPECT_EQ(back->devices[1].requests[1].until, std::nullopt);
}

TEST(ThrottleReportTest, ADaemonThatTellsNoChangesIsUnderstood) {
  std::string older = throttle_report_json(throttle_report(slow_machine()), false);
  const std::string changes = R"(,"changes":[])";
  ASSERT_NE(older.find(changes), std::string::npos);
  older.erase(older.find(changes), changes.size());
  const auto report = parse_throttle_report(older);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->changes.empty());
}

TEST(ThrottleReportTest, WhatIsNoReportIsRefused) {
  const std::string good = throttle_report_json(throttle_report(slow_machine()), false);
  for (const std::string& bad :
       {std::string(), std::string("{}"), std::string("[]"), std::string(R"({"schema": "gpukeeper.status/1"})"),
        good.substr(0, good.size() / 2), std::string(good).replace(good.find("\"optimal\""), 9, "42       "),
        std::string(good).replace(good.find("\"taken_at\":\"2026"), 16, "\"taken_at\":\"soon")}) {
    const auto parsed = parse_throttle_report(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_TRUE(parsed.error().message.starts_with("that is no answer to how fast work may go: ")) << bad;
  }
}

}  // namespace
}  // namespace gpukeeper
