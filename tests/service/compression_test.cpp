#include "service/compression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recording/gzip.hpp"
#include "service/later.hpp"

namespace gpukeeper::service {
namespace {

using testing::Contains;
using testing::Not;

const std::string kLong(5000, 'x');

Request asked(const std::string& accepted) {
  Request request;
  request.method = "GET";
  if (!accepted.empty()) request.headers = {{"Accept-Encoding", accepted}};
  return request;
}

std::string unpacked(const Response& response) {
  return recording::unpack(*response.body, 1 << 20).text;
}

TEST(CompressionTest, WhoTakesGzipIsReadAsRfc9110HasIt) {
  for (const std::string takes :
       {"gzip", "GZIP", "br, gzip", "gzip;q=0.5", "*", "x-gzip", "gzip;q=0.5, identity;q=0.1", "deflate, *;q=0.1"}) {
    EXPECT_TRUE(takes_gzip(takes)) << takes;
  }
  for (const std::string refuses :
       {"", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *", "identity", "gzip;q=0.1, identity;q=0.5", "gzip;q=x", "gzip;"}) {
    EXPECT_FALSE(takes_gzip(refuses)) << refuses;
  }
}

TEST(CompressionTest, WhatIsPackedIsTheSameText) {
  for (const std::string& text : {std::string(), std::string("{}"), kLong}) {
    const auto again = recording::unpack(gzip(text), 1 << 20);
    EXPECT_EQ(again.end, recording::Unpacked::End::whole);
    EXPECT_EQ(again.text, text);
  }
}

TEST(CompressionTest, ALargeAnswerIsPackedForWhoTakesIt) {
  const auto answer = compressed([](const Request&) { return json_answer(200, kLong); });
  const auto packed = answer(asked("gzip"));
  EXPECT_LT(packed.body_size(), 200U);
  EXPECT_EQ(unpacked(packed), kLong);
  EXPECT_THAT(packed.headers, Contains(Header("Content-Encoding", "gzip")));
  EXPECT_THAT(packed.headers, Contains(Header("Vary", "Accept-Encoding")));
  const auto plain = answer(asked(""));
  EXPECT_EQ(*plain.body, kLong);
  EXPECT_THAT(plain.headers, Contains(Header("Vary", "Accept-Encoding")));  // a cache must not give it to the other
  EXPECT_THAT(plain.headers, Not(Contains(Header("Content-Encoding", "gzip"))));
}

TEST(CompressionTest, ASmallAnswerAndAStreamStayAsTheyAre) {
  const auto small = compressed([](const Request&) { return json_answer(200, "{}"); });
  EXPECT_EQ(*small(asked("gzip")).body, "{}");
  const auto stream = compressed([](const Request&) {
    auto response = json_answer(200, kLong);
    response.content_type = "text/event-stream";
    return response;
  });
  EXPECT_EQ(*stream(asked("gzip")).body, kLong);
  const auto later = compressed([](const Request&) {
    Response response;
    response.later = std::make_shared<Later>();
    return response;
  });
  EXPECT_NE(later(asked("gzip")).later, nullptr);
}

TEST(CompressionTest, ABodyThatIsSharedIsPackedOnce) {
  const auto snapshot = std::make_shared<const std::string>(kLong);
  const auto answer = compressed([&](const Request&) {
    auto response = json_answer(200, "");
    response.body = snapshot;
    response.headers.emplace_back("ETag", "\"7\"");
    return response;
  });
  const auto first = answer(asked("gzip"));
  EXPECT_EQ(answer(asked("gzip")).body, first.body);  // the same object
  EXPECT_THAT(first.headers, Contains(Header("ETag", "W/\"7\"")));
  EXPECT_THAT(answer(asked("")).headers, Contains(Header("ETag", "\"7\"")));
}

}  // namespace
}  // namespace gpukeeper::service
