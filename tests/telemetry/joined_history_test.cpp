#include "telemetry/joined_history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Has a value of its own at some moments.
class Place final : public OlderHistory {
 public:
  double value = 0;
  std::vector<WallTime> moments;
  bool breaks_off = false;  // behind the first
  bool knows_its_begin = true;

  Result<void> read(const Query& query, const Take& take) const override {
    for (const WallTime at : moments) {
      if (at >= query.from && at < query.to) take(0, at, {1, value, value, value, value});
      if (breaks_off) return fail(Errc::internal, "disk I/O error");
    }
    return {};
  }
  std::optional<WallTime> oldest() const override {
    return moments.empty() || !knows_its_begin ? std::nullopt : std::optional(moments.front());
  }
};

class JoinedHistoryTest : public testing::Test {
 protected:
  std::vector<double> read() {
    std::vector<double> values;
    well_ = JoinedHistory(near_, far_)
                .read({.device = {"GPU-a"}, .metrics = {"power_watts"}, .from = kThen, .to = kThen + 60s, .step = 10s},
                      [&](std::size_t, WallTime, const HistoryBucket& bucket) { values.push_back(bucket.last); });
    return values;
  }

  const std::shared_ptr<Place> near_ = std::make_shared<Place>();
  const std::shared_ptr<Place> far_ = std::make_shared<Place>();
  Result<void> well_;

 private:
  void SetUp() override {
    near_->value = 1;
    far_->value = 2;
    far_->moments = {kThen, kThen + 10s, kThen + 20s, kThen + 30s};
  }
};

TEST_F(JoinedHistoryTest, WhatTheNearOneKeepsNothingOfIsReadOutOfTheFarOne) {
  EXPECT_THAT(read(), ElementsAre(2, 2, 2, 2));
}

TEST_F(JoinedHistoryTest, TheFarOneTellsWhatLiesBeforeTheNearOneAndNothingTwice) {
  near_->moments = {kThen + 20s, kThen + 30s, kThen + 40s};
  EXPECT_THAT(read(), ElementsAre(2, 2, 1, 1, 1));
  EXPECT_EQ(JoinedHistory(near_, far_).oldest(), kThen);
}

TEST_F(JoinedHistoryTest, WhereTheNearOneReachesFarEnoughNobodyElseIsAsked) {
  near_->moments = {kThen - 10s, kThen};
  far_->breaks_off = true;
  EXPECT_THAT(read(), ElementsAre(1));
  EXPECT_TRUE(well_);
}

TEST_F(JoinedHistoryTest, WhereTheNearOneBreaksOffTheFarOneTellsAll) {
  near_->moments = {kThen, kThen + 10s};
  near_->breaks_off = true;
  EXPECT_THAT(read(), ElementsAre(2, 2, 2, 2));
  EXPECT_TRUE(well_);
}

TEST_F(JoinedHistoryTest, AFarOneThatCannotTellIsSaidAndTheNearOneStays) {
  near_->moments = {kThen + 20s, kThen + 30s};
  far_->breaks_off = true;
  EXPECT_THAT(read(), ElementsAre(2, 1, 1));
  EXPECT_EQ(well_.error().message, "disk I/O error");
}

TEST_F(JoinedHistoryTest, TheOldestIsThatOfWhoeverHasOne) {
  EXPECT_EQ(JoinedHistory(near_, far_).oldest(), kThen);
  far_->moments.clear();
  EXPECT_EQ(JoinedHistory(near_, far_).oldest(), std::nullopt);
  near_->moments = {kThen + 20s};
  EXPECT_EQ(JoinedHistory(near_, far_).oldest(), kThen + 20s);
}

}  // namespace
}  // namespace gpukeeper
