#include "service/documented/refusals.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "service/later.hpp"

namespace gpukeeper::service::documented {
namespace {

TEST(RefusalsTest, APathIsTheirsUnlessItIsOfTheCleanSurface) {
  for (const char* path : {"/api/gpu/status", "/api/health", "/api/system/cpu", "/api/", "/api/v10/x"}) {
    EXPECT_TRUE(is_documented(path)) << path;
  }
  for (const char* path : {"/api/v1/snapshot", "/api/v1", "/health", "/", "*", "/apis/x"}) {
    EXPECT_FALSE(is_documented(path)) << path;
  }
}

TEST(RefusalsTest, AProblemIsToldInTheirWords) {
  auto refused = problem(404, "not_found", "there is no \"x\" here");
  refused.headers.emplace_back("Retry-After", "1");
  const auto answer = in_their_words("GET", "/api/gpu/x", refused);
  EXPECT_EQ(answer.status, 404u);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(*answer.body, "{\"error\":\"there is no \\\"x\\\" here\",\"success\":false}\n");
  EXPECT_EQ(answer.headers, refused.headers);
}

TEST(RefusalsTest, TheCleanSurfaceKeepsItsProblems) {
  const auto refused = problem(404, "not_found", "there is no such thing");
  EXPECT_EQ(in_their_words("GET", "/api/v1/x", refused).body, refused.body);
}

TEST(RefusalsTest, WhatIsNoProblemStaysAsItIs) {
  const auto fine = json_answer(200, "{}");
  EXPECT_EQ(in_their_words("GET", "/api/gpu/status", fine).body, fine.body);
  Response later;
  later.later = std::make_shared<Later>();
  EXPECT_EQ(in_their_words("GET", "/api/gpu/status", later).later, later.later);
}

TEST(RefusalsTest, OptionsAreAnsweredWith200) {
  Response options;
  options.status = 204;
  EXPECT_EQ(in_their_words("OPTIONS", "/api/gpu/status", options).status, 200u);
  EXPECT_EQ(in_their_words("OPTIONS", "/api/v1/snapshot", options).status, 204u);
}

}  // namespace
}  // namespace gpukeeper::service::documented
