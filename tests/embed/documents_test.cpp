#include <cstdint>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embed/opened.hpp"

namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class DocumentsTest : public testing::Test {
 protected:
  gk_result ask(const char* method, const char* target, const char* body = nullptr) {
    char* text = nullptr;
    const gk_result result = gk_ask(keeper_, method, target, body, &text);
    if (text) answer_ = text;
    gk_free(text);
    return result;
  }

  Opened keeper_;
  std::string answer_;
};

TEST_F(DocumentsTest, AnswersAsTheDaemonDoes) {
  ASSERT_EQ(ask("GET", "/api/v1/snapshot?device=1"), GK_OK) << gk_last_error();
  EXPECT_THAT(answer_, StartsWith(R"({"schema":"gpukeeper.status/1")"));
  ASSERT_EQ(ask("GET", "/api/v1/states"), GK_OK) << gk_last_error();
  EXPECT_THAT(answer_, StartsWith(R"({"schema":"gpukeeper.states/1")"));
  ASSERT_EQ(ask("GET", "/api/v1/quotas"), GK_OK) << gk_last_error();
  EXPECT_EQ(answer_, R"({"schema":"gpukeeper.quotas/1","services":[]})"
                     "\n");
  ASSERT_EQ(ask("GET", "/api/gpu/status?gpu_id=1"), GK_OK) << gk_last_error();
  EXPECT_THAT(answer_, HasSubstr(R"("gpu_id":1)"));
  ASSERT_EQ(ask("GET", "/health"), GK_OK) << gk_last_error();
  EXPECT_THAT(answer_, HasSubstr(R"("status":"paused")"));
}

TEST_F(DocumentsTest, RefusalsAreProblemDocuments) {
  EXPECT_EQ(ask("GET", "/api/v1/leases/7"), GK_NOT_FOUND);
  EXPECT_STREQ(gk_last_error(), "there is no lease 7, or it is over for long");
  EXPECT_THAT(gk_last_problem(), HasSubstr(R"("status":404)"));
  EXPECT_EQ(ask("GET", "/api/v1/nothing"), GK_NOT_FOUND);
  EXPECT_STREQ(gk_last_error(), "there is no '/api/v1/nothing' here: GET / lists what there is");
  EXPECT_EQ(ask("PATCH", "/api/v1/config", "[]"), GK_INVALID);
  EXPECT_EQ(ask("POST", "/api/v1/leases", R"({"service": 7})"), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "service is 7; it takes a text");
  EXPECT_EQ(answer_, "");
}

TEST_F(DocumentsTest, WhatNeverEndsIsNoDocument) {
  EXPECT_EQ(ask("GET", "/api/v1/events/stream"), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "/api/v1/events/stream never ends: gk_subscribe() tells what happens");
}

TEST_F(DocumentsTest, WrongQuestionsAreNamed) {
  EXPECT_EQ(ask(nullptr, "/api/v1/snapshot"), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "method is NULL: give one such as \"GET\"");
  EXPECT_EQ(ask("GET", nullptr), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "target is no path: give one such as \"/api/v1/snapshot\"");
  EXPECT_EQ(ask("GET", "snapshot"), GK_INVALID);
  EXPECT_EQ(ask("GET", "/%zz"), GK_INVALID);
  EXPECT_EQ(ask("BREW", "/api/v1/snapshot"), GK_FAILED);
}

TEST_F(DocumentsTest, AnAnswerThatNobodyWantsIsNotGiven) {
  EXPECT_EQ(gk_ask(keeper_, "POST", "/api/v1/monitoring/start", nullptr, nullptr), GK_OK) << gk_last_error();
  EXPECT_EQ(gk_is_monitoring(keeper_), 1);
}

TEST_F(DocumentsTest, TheMetricsAreWhatPrometheusReads) {
  char* text = nullptr;
  ASSERT_EQ(gk_metrics(keeper_, nullptr, &text), GK_OK) << gk_last_error();
  EXPECT_THAT(text, HasSubstr("\ngpukeeper_temperature_celsius{gpu=\"0\""));
  gk_free(text);
  ASSERT_EQ(gk_metrics(keeper_, "documented", &text), GK_OK) << gk_last_error();
  EXPECT_THAT(text, Not(HasSubstr("gpukeeper_")));
  gk_free(text);
}

TEST_F(DocumentsTest, TheConfigurationChangesWholeOrNotAtAll) {
  ASSERT_EQ(gk_configure(keeper_, R"({"temp_throttle": 80, "temp_critical": 88})"), GK_OK) << gk_last_error();
  std::int32_t state = -1;
  ASSERT_EQ(gk_judge(keeper_, 81, 10, &state), GK_OK);
  EXPECT_EQ(state, GK_CRITICAL);
  EXPECT_EQ(gk_configure(keeper_, R"({"temp_throttle": 90, "temp_optimal": 300})"), GK_INVALID);
  EXPECT_THAT(gk_last_error(), HasSubstr("temp_optimal"));
  EXPECT_THAT(gk_last_problem(), HasSubstr("invalid_configuration"));
  ASSERT_EQ(gk_judge(keeper_, 81, 10, &state), GK_OK);
  EXPECT_EQ(state, GK_CRITICAL);
  char* json = nullptr;
  ASSERT_EQ(gk_configuration(keeper_, &json), GK_OK) << gk_last_error();
  EXPECT_THAT(json, HasSubstr("\"key\": \"temp_throttle\",\n      \"value\": 80,"));
  gk_free(json);
  EXPECT_EQ(gk_configure(keeper_, nullptr), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "patch is NULL: give a JSON object such as {\"temp_throttle\": 80}");
}

}  // namespace
