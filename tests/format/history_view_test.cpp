#include "format/history_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/past.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class HistoryViewTest : public testing::Test {
 protected:
  HistoryViewTest() {
    for (int second = 0; second < 120; ++second) {
      if (second >= 60 && second < 90) continue;  // it was away
      snapshot_ = Past::snapshot(second, {Past::gpu(40 + second * 0.1, "GPU-a", 0), Past::gpu(60, "GPU-b", 1)});
      history_.add(snapshot_);
    }
  }

  Result<HistoryView> gather(HistoryQuery query) const { return gather_history(history_, snapshot_, query); }
  std::string refusal(HistoryQuery query) const {
    const auto view = gather(std::move(query));
    return view ? "" : view.error().message;
  }

  History history_;
  Snapshot snapshot_;
};

TEST_F(HistoryViewTest, TheUsualMetricsThatADeviceHasOfAllThatIsKept) {
  const auto view = gather({});
  ASSERT_TRUE(view);
  EXPECT_EQ(view->from, kThen);
  EXPECT_EQ(view->step, 1s);
  ASSERT_EQ(view->devices.size(), 2u);
  std::vector<std::string> names;
  for (const auto& metric : view->devices[0].metrics) names.push_back(metric.name);
  EXPECT_THAT(names, ElementsAre("temperature_celsius", "utilization_percent", "memory_used_bytes"));  // no power
  EXPECT_EQ(view->devices[1].id, "GPU-b");
  EXPECT_EQ(view->devices[1].metrics[0].buckets.size(), 120u);
}

TEST_F(HistoryViewTest, ChosenMetricsDevicesTimeAndStep) {
  const auto view = gather(
      {.metrics = {"power_watts", "temperature_celsius"}, .devices = {"GPU-a"}, .since = kThen + 50s, .step = 10s});
  ASSERT_TRUE(view);
  ASSERT_EQ(view->devices.size(), 1u);
  const auto& metrics = view->devices[0].metrics;
  EXPECT_EQ(metrics[0].name, "power_watts");  // asked for, so it is said that there is nothing
  EXPECT_THAT(metrics[0].buckets, testing::Each(std::nullopt));
  std::vector<double> last;
  for (const auto& bucket : metrics[1].buckets) last.push_back(bucket ? bucket->last : -1);
  EXPECT_THAT(last, ElementsAre(45.9, -1, -1, -1, 49.9, 50.9, 51.9));
  EXPECT_EQ(view->start_of(4), kThen + 90s);
}

TEST_F(HistoryViewTest, WithoutAStepThereAreAboutSoManyBuckets) {
  EXPECT_EQ(gather({.usual_buckets = 30})->step, 5s);
  EXPECT_EQ(gather({.usual_buckets = 1})->step, 120s);
  EXPECT_EQ(gather({.usual_length = 20s})->from, kThen + 99s);
}

TEST_F(HistoryViewTest, NoBucketIsShorterThanFromReadingToReading) {
  History slow;
  for (int i = 0; i < 27; ++i) {
    snapshot_ = Past::snapshot(2 * i + (i % 3) * 0.001, {Past::gpu(60)});
    slow.add(snapshot_);
  }
  const auto view = gather_history(slow, snapshot_, {.metrics = {"temperature_celsius"}});
  EXPECT_EQ(view->step, 3s);
  EXPECT_THAT(view->devices[0].metrics[0].buckets, testing::Each(testing::Ne(std::nullopt)));
  EXPECT_EQ(gather_history(slow, snapshot_, {.step = 1s})->step, 1s);  // whoever wants it
}

TEST_F(HistoryViewTest, WhatIsWrongIsRefused) {
  EXPECT_EQ(refusal({.metrics = {"temperature"}}),
            "there is no metric 'temperature': did you mean temperature_celsius?");
  EXPECT_EQ(refusal({.metrics = {"\x1b[31m"}}), "there is no metric '?[31m': gpukeeper metrics lists them");
  EXPECT_EQ(refusal({.devices = {"9"}}),
            "there is no GPU '9': there are the GPUs 0 to 1; gpukeeper devices lists their UUIDs and PCI addresses");
  EXPECT_EQ(refusal({.since = kThen + 119s}),
            "2026-05-28T20:28:39.000Z is not in the past: it is 2026-05-28T20:28:39.000Z there");
  EXPECT_EQ(refusal({.step = 1ms, .most_buckets = 1000}),
            "that are more than 1000 values: take a longer step, a shorter time, fewer metrics or GPUs");
  EXPECT_EQ(gather({.metrics = {"pcie_replays"}}).error().code, Errc::not_found);  // a metric, but not kept
  EXPECT_EQ(gather_history(History(), snapshot_, {}).error(), (Error{Errc::unavailable, "nothing was measured yet"}));
}

TEST_F(HistoryViewTest, AsJsonAbsentIsNull) {
  const auto view = gather({.metrics = {"temperature_celsius"}, .devices = {"0"}, .since = kThen + 30s, .step = 30s});
  EXPECT_EQ(
      history_json(*view, false),
      R"({"schema":"gpukeeper.history/1","host":"gpu-box","from":"2026-05-28T20:27:10.000Z","to":"2026-05-28T20:28:39.001Z","step_seconds":30.0,"incomplete":null,"devices":[)"
      R"({"index":"0","uuid":"GPU-a","name":"NVIDIA H100 80GB HBM3","simulated":false,"recorded":false,"metrics":[)"
      R"({"metric":"temperature_celsius","unit":"celsius","buckets":[)"
      R"({"time":"2026-05-28T20:27:10.000Z","count":30,"min":43.0,"avg":44.45,"max":45.9,"last":45.9},)"
      R"({"time":"2026-05-28T20:27:40.000Z","count":0,"min":null,"avg":null,"max":null,"last":null},)"
      R"({"time":"2026-05-28T20:28:10.000Z","count":30,"min":49.0,"avg":50.45,"max":51.9,"last":51.9}]}]}]})");
}

TEST_F(HistoryViewTest, WhatWasWrittenAsJsonIsReadAgain) {
  const auto view = gather({.step = 7s});
  const auto again = parse_history(history_json(*view, false));
  ASSERT_TRUE(again);
  EXPECT_EQ(history_json(*again, false), history_json(*view, false));
  EXPECT_EQ(
      parse_history("{}").error(),
      (Error{Errc::internal, "the daemon's history is none that this gpukeeper understands: is it another version?"}));
  EXPECT_FALSE(parse_history("[1"));
  EXPECT_FALSE(parse_history(R"({"schema":"gpukeeper.history/1","host":"","from":1,"to":2,"devices":7})"));
  EXPECT_FALSE(parse_history(R"({"schema":"gpukeeper.history/2"})"));
}

TEST_F(HistoryViewTest, EveryMemberIsInTheSchema) {
  const Json schema = Json::parse(history_schema());
  const Json document = Json::parse(history_json(*gather({.step = 30s}), false));
  const Json& device = schema["properties"]["devices"]["items"];
  const Json& metric = schema["$defs"]["metric"];
  const auto expect_same = [](const Json& required, const Json& written) {
    Json names = Json::array();
    for (const auto& [name, value] : written.items()) names.push_back(name);
    EXPECT_EQ(required, names);
  };
  expect_same(schema["required"], document);
  expect_same(device["required"], document["devices"][0]);
  expect_same(metric["required"], document["devices"][0]["metrics"][0]);
  expect_same(metric["properties"]["buckets"]["items"]["required"], document["devices"][0]["metrics"][0]["buckets"][0]);
}

TEST_F(HistoryViewTest, AsCsvARowForEachBucketThatHasValues) {
  const auto view = gather({.metrics = {"temperature_celsius"}, .devices = {"0"}, .since = kThen + 49s, .step = 20s});
  EXPECT_EQ(history_csv(*view),
            "time,index,uuid,metric,count,min,avg,max,last\n"
            "2026-05-28T20:27:29.000Z,0,GPU-a,temperature_celsius,11,44.9,45.4,45.9,45.9\n"
            "2026-05-28T20:28:09.000Z,0,GPU-a,temperature_celsius,19,49,49.9,50.8,50.8\n"
            "2026-05-28T20:28:29.000Z,0,GPU-a,temperature_celsius,11,50.9,51.4,51.9,51.9\n");
}

}  // namespace
}  // namespace gpukeeper
