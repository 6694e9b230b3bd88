#include "service/alerts_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_backend.hpp"
#include "fakes/fake_clock.hpp"
#include "format/alerts_json.hpp"
#include "format/json_text.hpp"
#include "service/later.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;

// An engine with a GPU of 95 °C, whose alert 1 fires at once.
class AlertsAnswerTest : public testing::Test {
 protected:
  AlertsAnswerTest() {
    Reading hot{Missing::not_supported};
    hot.temperature = Celsius(95);
    backend_->plug("GPU-a", hot);
    Sources sources;
    sources.backends.push_back(backend_);
    engine_ = std::make_unique<Engine>(std::move(sources), clock_);
    engine_->step();
  }

  Request request(std::string body = "", std::string id = "", uid_t uid = 1000) {
    Request result;
    result.body = std::move(body);
    if (!id.empty()) result.parameters["id"] = std::move(id);
    auto peer = std::make_shared<Peer>();
    peer->credentials = Credentials{1, uid, uid};
    result.peer = peer;
    return result;
  }
  AlertCommands commands() {
    return {.post = [this](std::function<void(Engine&)> command) {
      const bool taken = engine_->post([this, command = std::move(command)] { command(*engine_); });
      clock_->advance(1s);
      engine_->step();
      return taken;
    }};
  }
  // What the server sends in the end.
  static Response settled(const Response& response) {
    if (!response.later) return response;
    const auto make = response.later->take();
    return make ? (*make)() : problem(503, "no_answer_yet", response.later->overdue());
  }
  const Alert& alert() { return engine_->snapshot()->alerts->at(0); }
  static std::string detail(const Response& response) { return Json::parse(*response.body)["detail"]; }

  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  const std::shared_ptr<FakeBackend> backend_ = std::make_shared<FakeBackend>();
  std::unique_ptr<Engine> engine_;
};

TEST_F(AlertsAnswerTest, WhatFiresIsListed) {
  const auto answer = alerts_answer(request(), *engine_->snapshot());
  EXPECT_EQ(answer.status, 200U);
  const auto document = parse_alerts(*answer.body);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->lamp, Lamp::red);
  ASSERT_EQ(document->alerts.size(), 1U);
  EXPECT_EQ(document->alerts[0].rule, "thermal");
}

TEST_F(AlertsAnswerTest, AllAndDeviceChoose) {
  backend_->plug("GPU-a", Reading{Missing::not_supported});
  Request asks = request();
  asks.query = {{"all", "true"}, {"device", "0"}};
  EXPECT_EQ(alerts_answer(asks, *engine_->snapshot()).status, 200U);
  asks.query = {{"device", "7"}};
  EXPECT_EQ(alerts_answer(asks, *engine_->snapshot()).status, 404U);
  asks.query = {{"all", "maybe"}};
  const auto refused = alerts_answer(asks, *engine_->snapshot());
  EXPECT_EQ(refused.status, 400U);
  EXPECT_EQ(detail(refused), "the parameters known here are all=true and device=INDEX or UUID");
  EXPECT_EQ(alerts_answer(request(), Snapshot{}).status, 503U);
}

TEST_F(AlertsAnswerTest, AnAcknowledgementHasANameATimeAndAComment) {
  EXPECT_EQ(settled(acknowledge(request(R"({"for": "2h", "comment": "a fan is ordered"})", "1", 0), commands())).status,
            204U);
  EXPECT_EQ(alert().acknowledged_by, "root");
  EXPECT_EQ(alert().comment, "a fan is ordered");
  ASSERT_TRUE(alert().acknowledged_until);
  EXPECT_EQ(settled(unacknowledge(request("", "1"), commands())).status, 204U);
  EXPECT_EQ(alert().acknowledged_by, "");
  EXPECT_EQ(settled(acknowledge(request("", "1"), commands())).status, 204U);
  EXPECT_EQ(alert().acknowledged_until, std::nullopt);
}

TEST_F(AlertsAnswerTest, SilencesBeginAndEnd) {
  const auto begun = settled(
      begin_silence(request(R"({"rule": "thermal", "device": "0", "level": "critical", "for": "1h30m"})"), commands()));
  EXPECT_EQ(begun.status, 201U);
  EXPECT_EQ(Json::parse(*begun.body)["id"], "1");
  EXPECT_TRUE(alert().silenced);
  const auto listed = silences_answer(*engine_->silences());
  EXPECT_EQ(Json::parse(*listed.body)["silences"][0]["level"], "critical");
  EXPECT_EQ(settled(end_silence(request("", "1"), commands())).status, 204U);
  EXPECT_FALSE(alert().silenced);
}

TEST_F(AlertsAnswerTest, WhoAsksWithATokenIsNamedByIt) {
  Request over_tcp = request("", "1");
  over_tcp.peer = std::make_shared<const Peer>();
  over_tcp.who = {.role = auth::Role::operator_, .name = "token ci (20212223)", .known = true};
  EXPECT_EQ(settled(acknowledge(over_tcp, commands())).status, 204U);
  EXPECT_EQ(alert().acknowledged_by, "token ci (20212223)");
}

TEST_F(AlertsAnswerTest, WhatIsWrongIsSaid) {
  struct Case {
    Response answer;
    unsigned status;
    const char* detail;
  };
  const auto ack = [&](std::string body, std::string id = "1") {
    return settled(acknowledge(request(std::move(body), std::move(id)), commands()));
  };
  const auto silence = [&](std::string body) { return settled(begin_silence(request(std::move(body)), commands())); };
  const Case cases[] = {
      {ack("{", "1"), 400, "the body must be a JSON object"},
      {ack("[]", "1"), 400, "the body must be a JSON object"},
      {ack(R"({"until": "1h"})"), 400, "there is no member 'until'; there are for, comment"},
      {ack(R"({"for": 3})"), 400, "'for' must be a text"},
      {ack(R"({"for": "soon"})"), 400, "'for' takes a duration such as 90s or 2h, not 'soon'"},
      {ack(R"({"for": "400d"})"), 400, "an alert is acknowledged for a moment to 365 days, not 34560000 s"},
      {ack("", "99"), 404, "no alert '99' is pending or firing; gpukeeper alerts lists those there are"},
      {ack(std::string(20'000, ' ')), 400, "the body is too long"},
      {silence("{}"), 400, "'for' says how long it lasts, such as 2h; a silence always has an end"},
      {silence(R"({"for": "1h", "level": "bad"})"), 400, "'level' is info, warning or critical, not 'bad'"},
      {silence(R"({"for": "1h", "rule": "termal"})"), 400,
       "rule = 'termal': there is no such rule; did you mean thermal?"},
      {settled(end_silence(request("", "9"), commands())), 404,
       "there is no silence '9'; gpukeeper alerts silences lists those there are"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(each.answer.status, each.status) << each.detail;
    EXPECT_EQ(detail(each.answer), each.detail);
  }
}

TEST_F(AlertsAnswerTest, AnEngineThatTakesNoCommandsIsSaid) {
  const AlertCommands none{.post = [](const auto&) { return false; }};
  const auto answer = unacknowledge(request("", "1"), none);
  EXPECT_EQ(answer.status, 503U);
  EXPECT_EQ(detail(answer), "the engine takes no commands now; try again in a moment");
  const AlertCommands ends{.post = [](const auto&) { return true; }};  // and drops what it took
  EXPECT_EQ(detail(settled(unacknowledge(request("", "1"), ends))), "gpukeeper is stopping");
}

TEST_F(AlertsAnswerTest, AnEngineThatHangsIsNotWaitedFor) {
  std::vector<std::function<void(Engine&)>> waiting;
  const AlertCommands hangs{.post = [&](std::function<void(Engine&)> command) {
    waiting.push_back(std::move(command));
    return true;
  }};
  const auto answer = acknowledge(request("", "1"), hangs);
  ASSERT_TRUE(answer.later);
  EXPECT_FALSE(answer.later->take());
  EXPECT_EQ(detail(settled(answer)),
            "the engine is busy and has not answered yet; look whether it was done before you ask again");

  waiting.front()(*engine_);
  EXPECT_EQ(settled(answer).status, 204U);
  waiting.clear();
  EXPECT_EQ(settled(answer).status, 204U) << "the first answer counts";
}

}  // namespace
}  // namespace gpukeeper::service
