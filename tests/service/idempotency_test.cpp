#include "service/idempotency.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "fakes/fake_clock.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::Contains;

class IdempotencyTest : public testing::Test {
 protected:
  static Request asked(const std::string& key, const std::string& body = "{}", const std::string& who = "token a") {
    Request request;
    request.method = "POST";
    request.path = "/things";
    request.body = body;
    request.who.name = who;
    if (!key.empty()) request.headers = {{"idempotency-key", key}};
    return request;
  }
  std::string refusal(const Request& request) {
    const auto answer = once_(request);
    return fmt::format("{} {}", answer.status, nlohmann::json::parse(*answer.body)["detail"].get<std::string>());
  }

  FakeClock clock_;
  const std::shared_ptr<Idempotency> keys_ = std::make_shared<Idempotency>(clock_);
  int done_ = 0;
  unsigned status_ = 201;
  const Answer once_ =
      idempotent([this](const Request&) { return json_answer(status_, std::to_string(++done_)); }, keys_);
};

TEST_F(IdempotencyTest, TheSameKeyIsDoneOnceAndAnsweredAlike) {
  EXPECT_EQ(*once_(asked("k")).body, "1");
  const auto again = once_(asked("k"));
  EXPECT_EQ(again.status, 201U);
  EXPECT_EQ(*again.body, "1");
  EXPECT_THAT(again.headers, Contains(Header("Idempotency-Replayed", "true")));
  EXPECT_EQ(*once_(asked("other")).body, "2");
  EXPECT_EQ(*once_(asked("")).body, "3");  // without a key each is done
  EXPECT_EQ(*once_(asked("")).body, "4");
}

TEST_F(IdempotencyTest, AKeyIsItsSendersOwn) {
  EXPECT_EQ(*once_(asked("k")).body, "1");
  EXPECT_EQ(*once_(asked("k", "{}", "token b")).body, "2");
}

TEST_F(IdempotencyTest, AKeyStandsForOneBody) {
  static_cast<void>(once_(asked("k")));
  EXPECT_EQ(refusal(asked("k", "[]")),
            "409 this Idempotency-Key came with another body before: take a new key for a new request");
}

TEST_F(IdempotencyTest, WhatWasRefusedMayBeAskedForAgain) {
  status_ = 503;
  EXPECT_EQ(once_(asked("k")).status, 503U);
  status_ = 201;
  EXPECT_EQ(once_(asked("k")).status, 201U);
}

TEST_F(IdempotencyTest, WhoComesBeforeTheAnswerIsToldSo) {
  EXPECT_FALSE(keys_->begin(asked("k")));
  EXPECT_EQ(refusal(asked("k")),
            "409 the request with this Idempotency-Key is not answered yet: ask again in a second");
  clock_.advance(61s);  // nobody will answer it any more
  EXPECT_EQ(*once_(asked("k")).body, "1");
}

TEST_F(IdempotencyTest, AKeyIsForgottenAfterADayAndWhenTooManyCame) {
  static_cast<void>(once_(asked("k")));
  clock_.advance(25h);
  static_cast<void>(once_(asked("l")));  // sweeps
  EXPECT_EQ(*once_(asked("k")).body, "3");
  for (std::size_t i = 0; i < Idempotency::kMost; ++i) static_cast<void>(once_(asked(fmt::format("key {}", i))));
  EXPECT_EQ(*once_(asked("k")).body, std::to_string(Idempotency::kMost + 4));
}

TEST_F(IdempotencyTest, AKeyIsPrintableAndShort) {
  const std::string rule = "400 Idempotency-Key takes 1 to 255 printable characters, such as a UUID";
  EXPECT_EQ(refusal(asked(std::string(256, 'k'))), rule);
  EXPECT_EQ(refusal(asked("k\x7f")), rule);
}

}  // namespace
}  // namespace gpukeeper::service
