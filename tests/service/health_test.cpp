#include "service/health.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class HealthTest : public testing::Test {
 protected:
  static Snapshot well() {
    Snapshot snapshot = machine({device(0, facts("GPU-a", "H100", "0000:01:00.0"), busy())});
    snapshot.monotonic = MonotonicTime(100s);
    return snapshot;
  }
  Health at(const Snapshot& snapshot, MonotonicTime now) const { return health(snapshot, facts_, now); }

  const HealthFacts facts_{.version = "1.2.3", .started = MonotonicTime(90s), .stalled_after = 20s};
};

TEST_F(HealthTest, ItIsWellWhileItSamplesAndMissesNothing) {
  EXPECT_EQ(at(well(), MonotonicTime(101s)), Health::healthy);
  const auto answer = health_answer(well(), facts_, MonotonicTime(101s + 500ms));
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(*answer.body,
            R"({"status":"healthy","service":"gpukeeper","version":"1.2.3","host":"gpu-box","uptime_seconds":11.5,)"
            R"("sequence":7,"taken_at":"2026-05-28T20:26:40.250Z","last_tick_age_seconds":1.5,)"
            R"("devices":{"total":1,"available":1},"failed_steps":0,"reasons":[]})"
            "\n");
}

TEST_F(HealthTest, AMachineWithoutGpusIsWell) {
  Snapshot snapshot = machine({});
  snapshot.monotonic = MonotonicTime(100s);
  EXPECT_EQ(at(snapshot, MonotonicTime(101s)), Health::healthy);
}

TEST_F(HealthTest, ALostGpuAndAFailedSourceDegradeItButASleepingGpuDoesNot) {
  Snapshot snapshot = four_gpus();
  snapshot.monotonic = MonotonicTime(100s);
  EXPECT_EQ(at(snapshot, MonotonicTime(101s)), Health::degraded);
  const auto answer = health_answer(snapshot, facts_, MonotonicTime(101s));
  EXPECT_EQ(answer.status, 200U);
  EXPECT_THAT(*answer.body, HasSubstr(R"("reasons":["GPU 3: driver did not answer"])"));

  snapshot.devices.pop_back();
  EXPECT_EQ(at(snapshot, MonotonicTime(101s)), Health::healthy);  // GPU 2 sleeps
  snapshot.sources = {{"nvml", false, "the driver was updated", 0}};
  EXPECT_EQ(at(snapshot, MonotonicTime(101s)), Health::degraded);
  EXPECT_THAT(*health_answer(snapshot, facts_, MonotonicTime(101s)).body,
              HasSubstr(R"("reasons":["source nvml: the driver was updated"])"));
}

TEST_F(HealthTest, AFasterPaceIsExpectedOnlySinceItWasAskedFor) {
  HealthFacts facts = facts_;
  facts.paced_since = MonotonicTime(500s);  // before that, a snapshot every ten minutes was well
  EXPECT_EQ(health(well(), facts, MonotonicTime(519s)), Health::healthy);
  EXPECT_EQ(health(well(), facts, MonotonicTime(521s)), Health::stalled);
}

TEST_F(HealthTest, ASamplerThatStandsStillIsAnswered503) {
  EXPECT_EQ(at(well(), MonotonicTime(120s)), Health::healthy);
  const auto answer = health_answer(well(), facts_, MonotonicTime(121s));
  EXPECT_EQ(answer.status, 503U);
  EXPECT_THAT(answer.headers, testing::Contains(Header("Retry-After", "5")));
  EXPECT_THAT(*answer.body, HasSubstr(R"("status":"stalled")"));
  EXPECT_THAT(*answer.body, HasSubstr("no snapshot was made for 21 s: a driver may hang"));
}

TEST_F(HealthTest, WhatFailsInGpukeeperItselfIsSaidAndCounted) {
  const EngineTrouble trouble{.count = 3, .last = "the governor: out of \x1b memory", .lasting = true};
  EXPECT_EQ(health(well(), facts_, MonotonicTime(101s), true, trouble), Health::degraded);
  const auto answer = health_answer(well(), facts_, MonotonicTime(101s), true, trouble);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_THAT(*answer.body, HasSubstr(R"("failed_steps":3,"reasons":["gpukeeper itself fails, for the 3. time: )"
                                      R"(the governor: out of ? memory"])"));
  const auto stalled = health_answer(well(), facts_, MonotonicTime(121s), true, trouble);
  EXPECT_EQ(stalled.status, 503U);
  EXPECT_THAT(*stalled.body, HasSubstr(R"("reasons":["no snapshot was made for 21 s","gpukeeper itself fails, for)"));

  const EngineTrouble over{.count = 3, .last = "the governor: out of memory"};
  EXPECT_EQ(health(well(), facts_, MonotonicTime(101s), true, over), Health::healthy);
  EXPECT_THAT(*health_answer(well(), facts_, MonotonicTime(101s), true, over).body,
              HasSubstr(R"("failed_steps":3,"reasons":[])"));
}

TEST_F(HealthTest, BeforeTheFirstSnapshotItStartsAndThenStandsStill) {
  const Snapshot nothing;
  const auto answer = health_answer(nothing, facts_, MonotonicTime(92s));
  EXPECT_EQ(answer.status, 200U);
  EXPECT_THAT(*answer.body, HasSubstr(R"("status":"starting")"));
  EXPECT_THAT(*answer.body, HasSubstr(R"("taken_at":null,"last_tick_age_seconds":null)"));
  EXPECT_EQ(at(nothing, MonotonicTime(111s)), Health::stalled);
}

TEST_F(HealthTest, WhatElseDoesNotWorkIsDegraded) {
  const auto answer = health_answer(well(), facts_, MonotonicTime(101s), true, {}, {"sink ops: nobody answers"});
  EXPECT_EQ(answer.status, 200u);
  EXPECT_THAT(*answer.body, HasSubstr(R"("status":"degraded")"));
  EXPECT_THAT(*answer.body, HasSubstr(R"("reasons":["sink ops: nobody answers"])"));
}

}  // namespace
}  // namespace gpukeeper::service
