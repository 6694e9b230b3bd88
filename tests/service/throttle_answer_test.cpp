#include "service/throttle_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_backend.hpp"
#include "fakes/fake_clock.hpp"
#include "format/json_text.hpp"
#include "format/throttle_report.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr uid_t kOwner = 1000;

// Two GPUs, one of them hot, in an engine that is stepped by hand.
class ThrottleAnswerTest : public testing::Test {
 protected:
  ThrottleAnswerTest() {
    backend_->plug("GPU-a", Reading{.temperature = Celsius(50)});
    backend_->plug("GPU-b", Reading{.temperature = Celsius(80)});
    engine_.step();
  }

  static Sources sources(const std::shared_ptr<FakeBackend>& backend) {
    Sources sources;
    sources.backends.push_back(backend);
    return sources;
  }
  static Request request(std::string body = {}, std::map<std::string, std::string> query = {}) {
    Request made;
    made.body = std::move(body);
    made.query = std::move(query);
    made.who.name = "user 1000";
    return made;
  }
  Response ask(const std::string& body) { return answer_.ask(request(body), *engine_.snapshot()); }
  std::shared_ptr<const Snapshot> next() {
    clock_->advance(1s);
    return engine_.step();
  }
  static std::string detail(const Response& response) { return Json::parse(*response.body)["detail"]; }

  const std::shared_ptr<FakeBackend> backend_ = std::make_shared<FakeBackend>();
  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  Engine engine_{sources(backend_), clock_};
  bool busy_ = false;
  const ThrottleAnswer answer_{[this](std::function<void(Engine&)> command) {
                                 return !busy_ &&
                                        engine_.post([this, command = std::move(command)] { command(engine_); });
                               },
                               [this] { return changes_; }};
  std::vector<ActuatorReport> changes_;
};

TEST_F(ThrottleAnswerTest, AnyoneMayReadHowFastWorkMayGo) {
  const auto all = answer_.read(Request{}, *engine_.snapshot());
  EXPECT_EQ(all.status, 200U);
  const auto report = parse_throttle_report(*all.body);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->speed, 0.5);
  const auto one = answer_.read(request({}, {{"device", "0"}}), *engine_.snapshot());
  EXPECT_EQ(parse_throttle_report(*one.body)->speed, 1);
  EXPECT_EQ(answer_.read(request({}, {{"device", "7"}}), *engine_.snapshot()).status, 404U);
  EXPECT_EQ(answer_.read(request({}, {{"gpu", "0"}}), *engine_.snapshot()).status, 400U);
  EXPECT_EQ(answer_.read(Request{}, Snapshot{}).status, 503U);
}

TEST_F(ThrottleAnswerTest, WhatIsChangedOfTheDevicesIsTold) {
  changes_ = {{.name = {ActuatorKind::power_limit, {"GPU-b"}, "nvml"},
               .found = "700 W",
               .set = "350 W",
               .effective = "350 W",
               .reason = "80 °C",
               .since = clock_->wall()},
              {.name = {ActuatorKind::fan, {"GPU-gone"}, "nvml"}, .message = "set the fan: no permission"}};
  const auto all = parse_throttle_report(*answer_.read(Request{}, *engine_.snapshot()).body);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->changes.size(), 2U);
  EXPECT_EQ(all->changes[0].kind, "power_limit");
  EXPECT_EQ(all->changes[0].effective, "350 W");
  EXPECT_EQ(all->changes[0].since, clock_->wall());
  EXPECT_EQ(all->changes[1].since, std::nullopt);
  EXPECT_EQ(all->changes[1].problem, "set the fan: no permission");
  const auto other = parse_throttle_report(*answer_.read(request({}, {{"device", "0"}}), *engine_.snapshot()).body);
  EXPECT_EQ(other->changes.size(), 0U);
  const auto one = parse_throttle_report(*answer_.read(request({}, {{"device", "1"}}), *engine_.snapshot()).body);
  EXPECT_EQ(one->changes.size(), 1U);
}

TEST_F(ThrottleAnswerTest, ARequestHoldsFromTheNextSnapshotOnForItsTime) {
  const auto answer = ask(R"({"speed_multiplier": 0.5, "seconds": 10, "devices": ["0"]})");
  EXPECT_EQ(answer.status, 202U);
  EXPECT_EQ(*answer.body, R"({"devices":["GPU-a"],"speed_multiplier":0.5,"until":"2026-05-28T21:26:50.000Z"})"
                          "\n");
  auto snapshot = next();
  EXPECT_EQ(snapshot->devices[0].throttling.speed_multiplier, 0.5);
  EXPECT_EQ(snapshot->devices[0].throttling.requests.front().reason, "asked for by user 1000");
  for (int i = 0; i < 9; ++i) snapshot = next();
  EXPECT_EQ(snapshot->devices[0].throttling.speed_multiplier, 0.5);
  EXPECT_EQ(next()->devices[0].throttling.speed_multiplier, 1);
}

TEST_F(ThrottleAnswerTest, WithoutDevicesAllAreMeantAndWithoutALengthUntilItIsTakenBack) {
  EXPECT_EQ(ask(R"({"speed_multiplier": 0})").status, 202U);
  auto snapshot = next();
  EXPECT_EQ(snapshot->devices[0].throttling.speed_multiplier, 0);
  EXPECT_EQ(snapshot->devices[0].throttling.requests.front().reason, "asked for by user 1000");
  EXPECT_EQ(snapshot->devices[1].throttling.speed_multiplier, 0);
  EXPECT_EQ(ask(R"({"speed_multiplier": 0.8, "devices": ["1"]})").status, 202U);
  EXPECT_EQ(answer_.take_back(request(), *engine_.snapshot()).status, 202U);
  snapshot = next();
  EXPECT_EQ(snapshot->devices[0].throttling.speed_multiplier, 1);
  EXPECT_EQ(snapshot->devices[1].throttling.requests.size(), 1U) << "only its own heat is left";
}

TEST_F(ThrottleAnswerTest, OneDevicesRequestIsTakenBackAlone) {
  ask(R"({"speed_multiplier": 0, "devices": ["0", "1"]})");
  EXPECT_EQ(answer_.take_back(request({}, {{"device", "GPU-a"}}), *engine_.snapshot()).status, 202U);
  const auto snapshot = next();
  EXPECT_EQ(snapshot->devices[0].throttling.speed_multiplier, 1);
  EXPECT_EQ(snapshot->devices[1].throttling.speed_multiplier, 0);
}

TEST_F(ThrottleAnswerTest, WhatIsWrongIsSaidWithWhatWouldBeRight) {
  const std::pair<const char*, const char*> kWrong[] = {
      {"", R"(the body must be JSON such as {"speed_multiplier": 0.5, "seconds": 600})"},
      {"[0.5]", R"(the body must be JSON such as {"speed_multiplier": 0.5, "seconds": 600})"},
      {"{}", "speed_multiplier is missing: 0.8, 0.5 or 0"},
      {R"({"speed_multiplier": 1})",
       "speed_multiplier takes 0.8, 0.5 or 0; for full speed take the request back (DELETE)"},
      {R"({"speed_multiplier": "half"})",
       "speed_multiplier takes 0.8, 0.5 or 0; for full speed take the request back (DELETE)"},
      {R"({"speed_multiplier": 0.5, "seconds": -1})", "seconds takes a number from 0.001 to 31622400"},
      {R"({"speed_multiplier": 0.5, "seconds": 1e300})", "seconds takes a number from 0.001 to 31622400"},
      {R"({"speed_multiplier": 0.5, "devices": []})",
       "devices takes a list of indices, UUIDs or PCI addresses, as texts"},
      {R"({"speed_multiplier": 0.5, "devices": [0]})",
       "devices takes a list of indices, UUIDs or PCI addresses, as texts"},
      {R"({"speed_multiplier": 0.5, "for": 10})",
       "'for' is not known here: speed_multiplier, seconds and devices are"}};
  for (const auto& [body, said] : kWrong) {
    const auto answer = ask(body);
    EXPECT_EQ(answer.status, 400U) << body;
    EXPECT_EQ(detail(answer), said) << body;
  }
  const auto unknown = ask(R"({"speed_multiplier": 0.5, "devices": ["9"]})");
  EXPECT_EQ(unknown.status, 404U);
  EXPECT_THAT(detail(unknown), HasSubstr("there is no GPU '9': there are the GPUs 0 to 1"));
}

TEST_F(ThrottleAnswerTest, AnEngineThatTakesNoCommandIsSaidToBeBusy) {
  busy_ = true;
  EXPECT_EQ(ask(R"({"speed_multiplier": 0.5})").status, 503U);
  EXPECT_EQ(answer_.take_back(request(), *engine_.snapshot()).status, 503U);
}

}  // namespace
}  // namespace gpukeeper::service
