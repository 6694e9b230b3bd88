#include "push/pusher.hpp"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../fakes/fake_clock.hpp"
#include "../fakes/fake_log.hpp"
#include "../fakes/memory_files.hpp"
#include "../sinks/fake_transport.hpp"

namespace gpukeeper::push {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PusherTest : public testing::Test {
 protected:
  PushSettings settings() {
    return {
        .url = "https://push.example/write/KEY", .interval = 15s, .queue = Bytes(64 << 10), .headers = {"X-Team: a"}};
  }
  Protocol protocol() {
    return {.name = "remote_write",
            .headers = {"Content-Type: text"},
            .again = {429},
            .encode =
                [](const std::vector<Family>& families, WallTime) {
                  const std::string& job = families.at(0).samples.at(0).labels.at(1).second;
                  return std::vector<Request>{{fmt::format("{} {}", families.at(0).samples.at(0).value, job), 3}};
                },
            .refused =
                [](const std::string& body) {
                  const bool remark = body.starts_with('?');
                  return std::pair<std::uint64_t, std::string>(remark ? 0 : body.size(), body.substr(remark ? 1 : 0));
                }};
  }
  Pusher::World world() {
    return {transport_, secrets_, clock_, log_,
            [this] { return value_ == 0 ? std::string() : fmt::format("# TYPE a gauge\na {}\n", value_); }};
  }
  std::vector<std::string> bodies() {
    std::vector<std::string> result;
    for (const HttpPost& post : transport_.take_posts()) result.push_back(post.body);
    return result;
  }
  // Steps until that much time is over.
  void pass(std::chrono::nanoseconds time) {
    const auto until = clock_.now() + time;
    while (true) {
      const auto next = pusher_.step({});
      if (next > until) break;
      clock_.sleep_until(next, {});
    }
    clock_.sleep_until(until, {});
  }

  int value_ = 1;
  FakeClock clock_;
  FakeTransport transport_;
  MemoryFiles files_;
  Secrets secrets_{files_, [](std::string_view) { return std::nullopt; }};
  std::shared_ptr<FakeLogTarget> said_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, said_};
  Pusher pusher_{settings(), "node-1", protocol(), world(), 1};
};

TEST_F(PusherTest, PushesAtItsPace) {
  transport_.answer(204);
  EXPECT_EQ(pusher_.step({}), clock_.now() + 15s);
  const auto posts = transport_.take_posts();
  ASSERT_EQ(posts.size(), 1U);
  EXPECT_EQ(posts[0].url, "https://push.example/write/KEY");
  EXPECT_EQ(posts[0].body, "1 gpukeeper");
  EXPECT_THAT(posts[0].headers, ElementsAre("Content-Type: text", "X-Team: a"));
  value_ = 2;
  clock_.advance(14s);
  static_cast<void>(pusher_.step({}));
  EXPECT_THAT(bodies(), IsEmpty());
  clock_.advance(1s);
  static_cast<void>(pusher_.step({}));
  EXPECT_THAT(bodies(), ElementsAre("2 gpukeeper"));
  EXPECT_EQ(pusher_.status().sent, 6U);
  EXPECT_TRUE(pusher_.status().up);
}

TEST_F(PusherTest, BeforeTheFirstLookItWaits) {
  value_ = 0;
  EXPECT_EQ(pusher_.step({}), clock_.now() + 1s);
  EXPECT_THAT(bodies(), IsEmpty());
}

TEST_F(PusherTest, WhatFailsIsSentAgainInOrder) {
  transport_.fail(Errc::unavailable, "POST https://push.example/…: refused");
  pass(50s);
  EXPECT_THAT(said_->take(),
              ElementsAre("warning: remote_write fails, metrics wait in memory: POST https://push.example/…: "
                          "refused"));
  EXPECT_EQ(pusher_.status().waiting, 4U);
  EXPECT_FALSE(pusher_.status().up);
  EXPECT_GT(pusher_.status().failures, 3U);
  static_cast<void>(bodies());
  transport_.answer(500, "overloaded");
  pass(70s);
  EXPECT_EQ(pusher_.status().error, "https://push.example/… answers 500: overloaded");
  transport_.answer(200);
  value_ = 9;
  pass(60s);
  EXPECT_EQ(pusher_.status().waiting, 0U);
  EXPECT_EQ(pusher_.status().dropped, 0U);
  EXPECT_THAT(said_->take(), Contains("info: remote_write works again"));
}

TEST_F(PusherTest, AReceiverSaysHowLongToWait) {
  transport_.answer(429);
  transport_.ask_to_wait(40s);
  static_cast<void>(pusher_.step({}));
  EXPECT_EQ(bodies().size(), 1U);
  transport_.answer(200);
  pass(39s);
  EXPECT_THAT(bodies(), IsEmpty());
  pass(2s);
  EXPECT_EQ(bodies().size(), 3U);  // of now, and of the two looks before
}

TEST_F(PusherTest, ARefusalIsNotRepeated) {
  transport_.answer(400, "out of order sample\nmore");
  static_cast<void>(pusher_.step({}));
  EXPECT_EQ(bodies().size(), 1U);
  pass(14s);
  EXPECT_THAT(bodies(), IsEmpty());
  EXPECT_EQ(pusher_.status().dropped, 1U);
  EXPECT_EQ(pusher_.status().waiting, 0U);
  EXPECT_THAT(said_->take(),
              ElementsAre("warning: remote_write gave a request up: https://push.example/… answers 400: out of "
                          "order sample"));
}

TEST_F(PusherTest, WhatAReceiverTookInPartIsCounted) {
  transport_.answer(200, "no");  // as the fake protocol has it: two
  static_cast<void>(pusher_.step({}));
  EXPECT_EQ(pusher_.status().sent, 1U);
  EXPECT_EQ(pusher_.status().refused, 2U);
  EXPECT_TRUE(pusher_.status().up);
  EXPECT_THAT(said_->take(), ElementsAre("warning: remote_write: the receiver refused 2 of 3 samples: no"));
}

TEST_F(PusherTest, AReceiverThatTakesNothingIsNotWell) {
  transport_.answer(200, "no!");  // three
  static_cast<void>(pusher_.step({}));
  const auto status = pusher_.status();
  EXPECT_FALSE(status.up);
  EXPECT_EQ(status.error, "https://push.example/… refused 3 of 3 samples: no!");
  EXPECT_EQ(status.refused, 3U);
  EXPECT_EQ(status.sent, 0U);
  EXPECT_EQ(status.failures, 1U);
  EXPECT_EQ(status.waiting, 0U);  // it would be refused again
  EXPECT_EQ(status.last_success, std::nullopt);
  transport_.answer(200);
  pass(15s);
  EXPECT_TRUE(pusher_.status().up);
  EXPECT_EQ(pusher_.status().error, "");
}

TEST_F(PusherTest, WhatAReceiverRemarksIsSaidOnce) {
  transport_.answer(200, "?slow down");  // as the fake protocol has it: none
  pass(50s);
  EXPECT_EQ(pusher_.status().refused, 0U);
  EXPECT_EQ(pusher_.status().error, "");
  EXPECT_THAT(said_->take(),
              ElementsAre("warning: remote_write: the receiver took all samples and remarked: slow down"));
}

TEST_F(PusherTest, WhileABacklogGoesLooksAreTaken) {
  transport_.fail(Errc::unavailable, "refused");
  pass(95s);
  const auto backlog = static_cast<std::ptrdiff_t>(pusher_.status().waiting);
  ASSERT_EQ(backlog, 7);
  static_cast<void>(bodies());
  transport_.answer(200);
  value_ = 100;  // what is looked at from here on
  std::vector<std::uint64_t> waiting;
  transport_.before_answers([&] {
    clock_.advance(4s);  // a receiver that is slow
    waiting.push_back(pusher_.status().waiting);
  });
  pass(90s);
  const auto sent = bodies();
  EXPECT_EQ(std::count(sent.begin(), sent.end(), "1 gpukeeper"), backlog);
  EXPECT_EQ(std::count(sent.begin(), sent.end(), "100 gpukeeper"), 6);  // each 15 s, whatever waited
  EXPECT_LT(waiting.at(1), waiting.at(0));                              // the figure moves meanwhile
}

TEST_F(PusherTest, AReceiverSlowerThanTheLooksStillGetsEach) {
  transport_.before_answers([&] { clock_.advance(20s); });
  pass(100s);
  EXPECT_GE(bodies().size(), 5U);
}

TEST_F(PusherTest, AboveItsBoundTheOldestGo) {
  transport_.fail(Errc::unavailable, "refused");
  pass(15s * 2000);
  const auto status = pusher_.status();
  EXPECT_GT(status.dropped, 100U);
  EXPECT_LE(status.waiting_bytes, 64U << 10);
  EXPECT_GE(status.dropped + status.waiting, 2000U);
  pusher_.end();
  EXPECT_THAT(said_->take(), Contains(HasSubstr("requests of metrics did not reach remote_write")));
}

TEST_F(PusherTest, SecretsAreReadAnewAndAMissingOneIsSaid) {
  PushSettings with = settings();
  with.token_file = "/token";
  Pusher pusher(with, "node-1", protocol(), world(), 1);
  static_cast<void>(pusher.step({}));
  EXPECT_THAT(pusher.status().error, HasSubstr("the token of the sink remote_write cannot be read"));
  files_.write("/token", "SECRET\n");
  clock_.advance(15s);
  static_cast<void>(pusher.step({}));
  EXPECT_EQ(transport_.take_posts().back().bearer, "SECRET");
}

}  // namespace
}  // namespace gpukeeper::push
