#include "gpukeeper/past.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(PastTest, AHistoryHasItsPieces) {
  const auto histories = read_histories(R"({"schema":"gpukeeper.history/1","devices":[
      {"index":"0:1","name":"H100","metrics":[{"metric":"power_watts","unit":"watts","buckets":[
        {"time":"2026-05-28T20:26:40.000Z","count":300,"min":371.2,"avg":512.9,"max":688.4,"last":602.1},
        {"time":"2026-05-28T20:31:40.000Z","count":0,"min":null,"avg":null,"max":null,"last":null}]}]},
      {"index":"1","name":"H200","metrics":[{"metric":"power_watts","unit":"watts","buckets":[]}]}]})");
  ASSERT_TRUE(histories);
  ASSERT_THAT(*histories, SizeIs(2));
  const History& first = (*histories)[0];
  EXPECT_EQ(first.device, "0:1");
  EXPECT_EQ(first.name, "H100");
  EXPECT_EQ(first.metric, "power_watts");
  EXPECT_EQ(first.unit, "watts");
  ASSERT_THAT(first.buckets, SizeIs(2));
  EXPECT_EQ(first.buckets[0].begins.time_since_epoch(), std::chrono::seconds(1'780'000'000));
  EXPECT_EQ(first.buckets[0].count, 300U);
  EXPECT_EQ(first.buckets[0].min, 371.2);
  EXPECT_EQ(first.buckets[0].average, 512.9);
  EXPECT_EQ(first.buckets[0].max, 688.4);
  EXPECT_EQ(first.buckets[0].last, 602.1);
  EXPECT_EQ(first.buckets[1].average, std::nullopt);
  EXPECT_EQ((*histories)[1].device, "1");
}

TEST(PastTest, ATrendHasItsNumbers) {
  const auto trends = read_trends(R"({"schema":"gpukeeper.trend/1","devices":[
      {"index":"0","name":"H100","sample_count":300,"current_temp":71,"min_temp":60,"max_temp":72,"avg_temp":66.5,
       "trend":"rising","is_stable":false,"celsius_per_minute":1.5,"seconds_until_limit":320,"reason":null},
      {"index":"1","name":"H200","sample_count":0,"trend":null,"is_stable":null,"reason":"it was not read"}]})");
  ASSERT_TRUE(trends);
  ASSERT_THAT(*trends, SizeIs(2));
  const Trend& first = (*trends)[0];
  EXPECT_EQ(first.device, "0");
  EXPECT_EQ(first.sample_count, 300U);
  EXPECT_EQ(first.current_celsius, 71);
  EXPECT_EQ(first.min_celsius, 60);
  EXPECT_EQ(first.max_celsius, 72);
  EXPECT_EQ(first.average_celsius, 66.5);
  EXPECT_EQ(first.direction, "rising");
  EXPECT_EQ(first.is_stable, false);
  EXPECT_EQ(first.celsius_per_minute, 1.5);
  EXPECT_EQ(first.seconds_until_limit, 320);
  EXPECT_EQ(first.reason, "");
  const Trend& second = (*trends)[1];
  EXPECT_EQ(second.direction, "");
  EXPECT_EQ(second.is_stable, std::nullopt);
  EXPECT_EQ(second.reason, "it was not read");
}

TEST(PastTest, WhatIsNoSuchDocumentIsSaid) {
  std::string mistake;
  for (const auto* text : {"", "[]", "{", R"({"schema":"gpukeeper.trend/2"})"}) {
    mistake.clear();
    EXPECT_FALSE(read_trends(text, &mistake)) << text;
    EXPECT_EQ(mistake, "is no document of the schema gpukeeper.trend/1");
    EXPECT_FALSE(read_histories(text, &mistake)) << text;
    EXPECT_EQ(mistake, "is no document of the schema gpukeeper.history/1");
  }
  EXPECT_FALSE(read_trends(""));
}

TEST(PastTest, WhatIsMissingIsAbsent) {
  EXPECT_THAT(*read_histories(R"({"schema":"gpukeeper.history/1"})"), IsEmpty());
  EXPECT_THAT(*read_trends(R"({"schema":"gpukeeper.trend/1","devices":[1]})"), IsEmpty());
  EXPECT_EQ(read_trends(R"({"schema":"gpukeeper.trend/1","devices":[{"sample_count":-1}]})")->at(0).sample_count, 0U);
}

}  // namespace
}  // namespace gpukeeper
