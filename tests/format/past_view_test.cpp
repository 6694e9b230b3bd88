#include "format/past_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/past.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Gives pieces of a temperature, as long as they were asked for; remembers what was asked.
class FakeOlder final : public OlderHistory {
 public:
  std::vector<std::pair<WallTime, HistoryBucket>> pieces;
  bool fails = false;
  mutable std::vector<Query> asked;

  Result<void> read(const Query& query, const Take& take) const override {
    asked.push_back(query);
    if (fails) return fail(Errc::internal, "disk I/O error");
    for (const auto& [at, bucket] : pieces) {
      if (at >= query.from && at < query.to) take(0, at, bucket);
    }
    return {};
  }
  mutable int oldest_asked = 0;

  std::optional<WallTime> oldest() const override {
    ++oldest_asked;
    return pieces.empty() ? std::nullopt : std::optional(pieces.front().first);
  }
};

// Memory begins at kThen, with 40 degrees and a tenth more a second.
class PastViewTest : public testing::Test {
 protected:
  PastViewTest() {
    for (int second = 0; second < 60; ++second) {
      snapshot_ = Past::one(second, 40 + second * 0.1);
      history_.add(snapshot_);
    }
  }

  std::vector<double> last(const HistoryQuery& query) const {
    const auto view = gather_history(history_, &older_, snapshot_, query);
    std::vector<double> result;
    for (const auto& bucket : view->devices[0].metrics[0].buckets) result.push_back(bucket ? bucket->last : -1);
    return result;
  }

  static HistoryBucket piece(double celsius, std::size_t count = 10) {
    return {count, celsius, celsius, celsius, celsius};
  }

  HistoryQuery since(WallTime moment, std::chrono::seconds step) const {
    return {.metrics = {"temperature_celsius"}, .devices = {}, .since = moment, .step = step};
  }

  History history_;
  Snapshot snapshot_;
  FakeOlder older_;
};

TEST_F(PastViewTest, WhatMemoryDoesNotReachIsReadWhereItIsKeptAndTheTimeBetweenIsAGap) {
  older_.pieces = {{kThen - 60s, piece(30)}, {kThen - 50s, piece(31)}, {kThen - 40s, piece(32)}};
  EXPECT_THAT(last(since(kThen - 60s, 20s)), ElementsAre(31, 32, -1, 41.9, 43.9, 45.9));
  ASSERT_EQ(older_.asked.size(), 1u);
  EXPECT_EQ(older_.asked[0].from, kThen - 60s);
  EXPECT_EQ(older_.asked[0].to, kThen);
  EXPECT_EQ(older_.asked[0].step, 20s);
  EXPECT_EQ(older_.asked[0].known, Past::at(0));
}

TEST_F(PastViewTest, ABucketThatBothHavePartsOfHasAll) {
  older_.pieces = {{kThen - 10s, piece(30, 10)}};
  const auto view = gather_history(history_, &older_, snapshot_, since(kThen - 10s, 20s));
  const auto bucket = view->devices[0].metrics[0].buckets[0];
  ASSERT_TRUE(bucket);
  EXPECT_EQ(bucket->count, 20u);
  EXPECT_EQ(bucket->min, 30);
  EXPECT_EQ(bucket->max, 40.9);
  EXPECT_NEAR(bucket->avg, 35.225, 1e-9);
  EXPECT_EQ(bucket->last, 40.9);  // what memory has is later
}

TEST_F(PastViewTest, WithoutAMomentItBeginsWhereTheOldestIs) {
  older_.pieces = {{kThen - 3600s, piece(30)}};
  const auto view = gather_history(history_, &older_, snapshot_, {.metrics = {"temperature_celsius"}});
  EXPECT_EQ(view->from, kThen - 3600s);
  EXPECT_EQ(view->devices[0].metrics[0].buckets.front()->last, 30);
}

TEST_F(PastViewTest, ADeviceThatMemoryHasNothingOfIsReadUpToNow) {
  snapshot_.devices.push_back(Past::gpu(50, "GPU-b", 1));
  older_.pieces = {{kThen - 20s, piece(30)}};
  HistoryQuery query = since(kThen - 20s, 10s);
  query.devices = {"GPU-b"};
  EXPECT_EQ(last(query).front(), 30);
  EXPECT_EQ(older_.asked[0].known, std::nullopt);
  EXPECT_GT(older_.asked[0].to, kThen + 59s);
}

TEST_F(PastViewTest, WhatCannotBeReadIsAGap) {
  older_.fails = true;
  EXPECT_THAT(last(since(kThen - 20s, 20s)), ElementsAre(-1, 41.9, 43.9, 45.9));
  const auto view = gather_history(history_, &older_, snapshot_, since(kThen - 20s, 20s));
  EXPECT_EQ(view->incomplete, "disk I/O error");
  EXPECT_EQ(parse_history(history_json(*view, false))->incomplete, "disk I/O error");
}

// Each may take as long as one is patient.
TEST_F(PastViewTest, WhatCouldNotBeReadOfOneDeviceIsNotAskedOfTheNext) {
  snapshot_.devices.push_back(Past::gpu(50, "GPU-b", 1));
  older_.fails = true;
  EXPECT_EQ(gather_history(history_, &older_, snapshot_, since(kThen - 20s, 20s))->devices.size(), 2u);
  EXPECT_EQ(older_.asked.size(), 1u);
}

TEST_F(PastViewTest, NoUsualBucketIsShorterThanThePaceOfWhatIsOlder) {
  HistoryQuery query{.metrics = {"temperature_celsius"}, .devices = {}, .since = kThen - 20s};
  query.pace = 30s;
  EXPECT_EQ(gather_history(history_, &older_, snapshot_, query)->step, 30s);
  query.step = 5s;
  EXPECT_EQ(gather_history(history_, &older_, snapshot_, query)->step, 5s);  // whoever wants it
}

TEST_F(PastViewTest, WhatMemoryHasAllOfIsAskedOfNobodyElse) {
  EXPECT_THAT(last(since(kThen + 500ms, 20s)), ElementsAre(42.0, 44.0, 45.9));
  EXPECT_TRUE(older_.asked.empty());
}

TEST_F(PastViewTest, WhereMemoryReachesFarEnoughNobodyIsAskedForTheOldest) {
  older_.pieces = {{kThen - 3600s, piece(30)}};
  HistoryQuery query{.metrics = {"temperature_celsius"}};
  query.usual_length = 30s;
  EXPECT_EQ(gather_history(history_, &older_, snapshot_, query)->from, kThen + 29s);
  EXPECT_EQ(older_.oldest_asked, 0);
}

TEST_F(PastViewTest, WithoutAnythingKeptItIsWhatMemoryHas) {
  const auto view = gather_history(history_, nullptr, snapshot_, since(kThen - 20s, 20s));
  EXPECT_FALSE(view->devices[0].metrics[0].buckets[0]);
}

}  // namespace
}  // namespace gpukeeper
