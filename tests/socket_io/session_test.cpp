#include "socket_io/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::socket_io {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SessionTest : public testing::Test {
 protected:
  void hear(std::string_view text) { session_.hear(parse_engine_packet(text).value(), now_); }
  void join() {
    hear("40");
    EXPECT_TRUE(session_.take_joined());
    EXPECT_EQ(session_.take_all(), R"(40{"sid":"s2"})");
  }
  void pass(std::chrono::nanoseconds time) {
    now_ += time;
    session_.tick(now_);
  }

  MonotonicTime now_{1h};
  std::vector<std::string> asked_;
  Session session_{"s1", "s2", now_, [this](const std::string& event) { asked_.push_back(event); }};
};

TEST_F(SessionTest, TheFirstPacketSaysHowItIsSpoken) {
  EXPECT_EQ(session_.open_packet(true),
            R"(0{"sid":"s1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536})");
  EXPECT_EQ(session_.open_packet(false),
            R"(0{"sid":"s1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536})");
}

TEST_F(SessionTest, WhoHasNotJoinedIsToldNothing) {
  session_.tell("gpu_status", event_text("gpu_status", "{}"), true);
  EXPECT_FALSE(session_.has_waiting());
  join();
  session_.tell("gpu_status", event_text("gpu_status", "{}"), true);
  EXPECT_EQ(session_.take_all(), R"(42["gpu_status",{}])");
  hear("41");
  session_.tell("gpu_status", event_text("gpu_status", "{}"), true);
  EXPECT_FALSE(session_.has_waiting());
  EXPECT_FALSE(session_.over());
}

TEST_F(SessionTest, ThereIsOneNamespace) {
  hear("40/admin,");
  EXPECT_EQ(session_.take_all(), R"(44/admin,{"message":"Invalid namespace"})");
  EXPECT_FALSE(session_.joined());
  hear("42/admin,[\"request_gpu_update\"]");
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_FALSE(session_.over());
}

TEST_F(SessionTest, AnEventIsHeardAndItsReceiptGivenWhereItIsWanted) {
  join();
  hear(R"(42["request_gpu_update"])");
  EXPECT_FALSE(session_.has_waiting());
  hear(R"(425["something else",1])");
  EXPECT_EQ(session_.take_all(), "435[]");
  EXPECT_THAT(asked_, ElementsAre("request_gpu_update", "something else"));
}

TEST_F(SessionTest, WhoAsksTooOftenIsPassedOver) {
  join();
  for (int i = 0; i < 30; ++i) hear(R"(42["a"])");
  EXPECT_THAT(asked_, SizeIs(Session::kAsksPerSecond));
  now_ += 1s;
  hear(R"(42["a"])");
  EXPECT_THAT(asked_, SizeIs(Session::kAsksPerSecond + 1));
}

TEST_F(SessionTest, WhatCannotBeUnderstoodEndsIt) {
  for (const std::string_view text : {"45-[]", "4", "4x", "42[\"before it has joined\"]", "1"}) {
    Session session("s1", "s2", now_, [](const std::string&) { FAIL(); });
    session.hear(parse_engine_packet(text).value(), now_);
    EXPECT_TRUE(session.over()) << text;
  }
}

TEST_F(SessionTest, OfWhatIsToldAgainOnlyTheLatestWaits) {
  join();
  session_.tell("update", event_text("update", "1"), true);
  session_.tell("alert", event_text("alert", "1"), false);
  session_.tell("alert", event_text("alert", "2"), false);
  session_.tell("update", event_text("update", "2"), true);
  EXPECT_EQ(session_.take_all(),
            "42[\"alert\",1]\x1e"
            "42[\"alert\",2]\x1e"
            "42[\"update\",2]");
}

TEST_F(SessionTest, WhoReadsNothingIsLeft) {
  join();
  for (std::size_t i = 0; i < Session::kMostWaiting; ++i) {
    session_.tell("alert", event_text("alert", "1"), false);
    EXPECT_FALSE(session_.over());
  }
  session_.tell("alert", event_text("alert", "1"), false);
  EXPECT_TRUE(session_.over());
}

TEST_F(SessionTest, APingThatIsAnsweredIsFollowedByAnother) {
  pass(24s);
  EXPECT_FALSE(session_.has_waiting());
  pass(1s);
  EXPECT_EQ(*session_.take(), "2");
  pass(10s);
  hear("3");
  pass(24s);
  EXPECT_FALSE(session_.has_waiting());
  pass(1s);
  EXPECT_EQ(*session_.take(), "2");
  EXPECT_FALSE(session_.over());
}

TEST_F(SessionTest, APingThatIsNotAnsweredEndsIt) {
  pass(25s);
  pass(19s);
  EXPECT_FALSE(session_.over());
  pass(1s);
  EXPECT_TRUE(session_.over());
}

}  // namespace
}  // namespace gpukeeper::socket_io
