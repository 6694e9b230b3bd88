#include "push/otlp_body.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace gpukeeper::push {
namespace {

using Json = nlohmann::json;

const WallTime kAt{std::chrono::milliseconds(1'780'000'000'123)};

Json body(std::string_view text) {
  return Json::parse(otlp_body(parse_metrics(text), {.host = "node-1", .version = "1.2.3"}, kAt));
}
Json metrics(std::string_view text) {
  return body(text)["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
}

TEST(OtlpBodyTest, SaysWhoItIs) {
  const Json document = body("# TYPE a gauge\na 1\n");
  EXPECT_EQ(document["resourceMetrics"][0]["resource"]["attributes"],
            Json::parse(R"([{"key":"service.name","value":{"stringValue":"gpukeeper"}},
                            {"key":"service.version","value":{"stringValue":"1.2.3"}},
                            {"key":"service.instance.id","value":{"stringValue":"node-1"}},
                            {"key":"host.name","value":{"stringValue":"node-1"}}])"));
  EXPECT_EQ(document["resourceMetrics"][0]["scopeMetrics"][0]["scope"],
            Json::parse(R"({"name":"gpukeeper","version":"1.2.3"})"));
}

TEST(OtlpBodyTest, AGaugeIsAGaugeWithItsUnit) {
  EXPECT_EQ(metrics("# HELP a_celsius How hot.\n# TYPE a_celsius gauge\na_celsius{gpu=\"0\"} 64.5\n"),
            Json::parse(R"([{"name":"a_celsius","description":"How hot.","unit":"Cel","gauge":{"dataPoints":[
              {"attributes":[{"key":"gpu","value":{"stringValue":"0"}}],"timeUnixNano":"1780000000123000000","asDouble":64.5}]}}])"));
}

TEST(OtlpBodyTest, ACounterIsAMonotonicSum) {
  const Json sum = metrics("# TYPE a_bytes_total counter\na_bytes_total 7\n")[0];
  EXPECT_EQ(sum["unit"], "By");
  EXPECT_EQ(sum["sum"]["aggregationTemporality"], 2);
  EXPECT_EQ(sum["sum"]["isMonotonic"], true);
  EXPECT_EQ(sum["sum"]["dataPoints"][0]["asDouble"], 7.0);
}

TEST(OtlpBodyTest, AHistogramCountsEachBucketByItself) {
  const Json points = metrics(
      "# TYPE a_seconds histogram\na_seconds_bucket{gpu=\"0\",le=\"0.1\"} 2\na_seconds_bucket{gpu=\"0\",le=\"1\"} 5\n"
      "a_seconds_bucket{gpu=\"0\",le=\"+Inf\"} 6\na_seconds_sum{gpu=\"0\"} 3.5\na_seconds_count{gpu=\"0\"} 6\n")
      [0]["histogram"]["dataPoints"];
  EXPECT_EQ(points, Json::parse(R"([{"attributes":[{"key":"gpu","value":{"stringValue":"0"}}],
    "timeUnixNano":"1780000000123000000","count":"6","sum":3.5,"explicitBounds":[0.1,1.0],"bucketCounts":["2","3","1"]}])"));
}

TEST(OtlpBodyTest, WhatIsNoUtf8DoesNotBreakIt) {
  EXPECT_EQ(
      metrics(
          "# TYPE a gauge\na{x=\"\xff\"} 1\n")[0]["gauge"]["dataPoints"][0]["attributes"][0]["value"]["stringValue"],
      "?");
}

TEST(OtlpBodyTest, APartialSuccessIsUnderstoodHoweverItIsWritten) {
  const auto refused = otlp_protocol({}).refused;
  using Told = std::pair<std::uint64_t, std::string>;
  EXPECT_EQ(refused(R"({"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"old"}})"), Told(3, "old"));
  EXPECT_EQ(refused(R"({"partialSuccess":{"rejectedDataPoints":4}})"), Told(4, ""));
  for (const char* const none : {"", "{}", "x", "[]", R"({"partialSuccess":{}})", R"({"partialSuccess":3})",
                                 R"({"partialSuccess":{"rejectedDataPoints":[]}})"}) {
    EXPECT_EQ(refused(none), Told(0, "")) << none;
  }
}

TEST(OtlpBodyTest, NothingIsSentOfNothing) {
  EXPECT_TRUE(otlp_protocol({}).encode({}, kAt).empty());
  EXPECT_EQ(otlp_protocol({}).encode(parse_metrics("# TYPE a gauge\na 1\na{b=\"c\"} 2\n"), kAt).at(0).samples, 2U);
}

}  // namespace
}  // namespace gpukeeper::push
