#include "service/cors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/site_guard.hpp"

namespace gpukeeper::service {
namespace {

using testing::Contains;
using testing::Not;
using testing::Pair;

constexpr std::string_view kOurs = "https://dashboard.example";

Request question(std::string method, std::vector<Header> headers) {
  Request request;
  request.method = std::move(method);
  request.headers = std::move(headers);
  request.headers.emplace_back("Host", "localhost");
  return request;
}

Request preflight(std::string_view origin) {
  return question("OPTIONS", {{"Origin", std::string(origin)},
                              {"Access-Control-Request-Method", "POST"},
                              {"Sec-Fetch-Site", "cross-site"},
                              {"Sec-Fetch-Mode", "cors"}});
}

TEST(CorsTest, NobodyIsAllowedUnlessConfigured) {
  const Cors cors({});
  EXPECT_FALSE(cors.allows(kOurs));
  EXPECT_FALSE(cors.allows("null"));
  EXPECT_FALSE(cors.preflight(preflight(kOurs)));
}

TEST(CorsTest, OnlyTheVeryOriginIsAllowed) {
  Cors cors({std::string(kOurs)});
  EXPECT_TRUE(cors.allows(kOurs));
  for (const std::string_view other :
       {"http://dashboard.example", "https://dashboard.example:8443", "https://DASHBOARD.example",
        "https://dashboard.example.evil.example", "https://evil.example", "null", "", "*"}) {
    EXPECT_FALSE(cors.allows(other)) << other;
    EXPECT_FALSE(cors.preflight(preflight(other))) << other;
  }
  cors.configure({});
  EXPECT_FALSE(cors.allows(kOurs));
}

TEST(CorsTest, ABrowserThatAsksBeforeIsTold) {
  const Cors cors({std::string(kOurs)});
  const auto answer = cors.preflight(preflight(kOurs));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204u);
  EXPECT_THAT(answer->headers, Contains(Header("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")));
  EXPECT_FALSE(cors.preflight(question("OPTIONS", {{"Origin", std::string(kOurs)}})));  // asks what is there
  EXPECT_FALSE(cors.preflight(question("POST", {{"Origin", std::string(kOurs)}})));
}

TEST(CorsTest, NoCookieEverCounts) {
  const auto headers = shared_with(kOurs);
  EXPECT_THAT(headers, Contains(Header("Access-Control-Allow-Origin", std::string(kOurs))));
  EXPECT_THAT(headers, Contains(Header("Vary", "Origin")));
  EXPECT_THAT(headers, Not(Contains(Pair("Access-Control-Allow-Credentials", testing::_))));
}

TEST(CorsTest, TheGuardLetsThemPassAndNobodyElse) {
  const Cors cors({std::string(kOurs)});
  const SiteGuard guard({}, [&](std::string_view origin) { return cors.allows(origin); });
  EXPECT_FALSE(guard.refuse(preflight(kOurs)));
  EXPECT_FALSE(guard.refuse(question("POST", {{"Origin", std::string(kOurs)}, {"Sec-Fetch-Site", "cross-site"}})));
  EXPECT_TRUE(guard.refuse(preflight("https://evil.example")));
  EXPECT_TRUE(guard.refuse(question("POST", {{"Origin", "https://evil.example"}})));
  auto rebound = question("GET", {{"Origin", std::string(kOurs)}});
  rebound.headers.back().second = "evil.example";
  EXPECT_TRUE(guard.refuse(rebound));  // its host is looked at first
}

}  // namespace
}  // namespace gpukeeper::service
