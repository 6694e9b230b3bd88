#include "events/subscription.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/snapshots.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::events {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

class SubscriptionTest : public testing::Test {
 protected:
  void happen(EventType type, std::string device = "GPU-aaaa") {
    ring_.add({.type = type, .at = kThen, .devices = {std::move(device)}, .payload = "{}"});
  }
  void tick() { ring_.add(snapshot_); }

  Subscription listen(std::optional<std::uint64_t> after = std::nullopt, std::string_view types = "") {
    EventFilter filter;
    if (!types.empty()) filter.types = parse_event_types(types).value();
    return {ring_, filter, Form::message, after};
  }

  // All that it is told now, in short: "101 fault", or the notice with what it says.
  static std::vector<std::string> told(Subscription& subscription) {
    std::vector<std::string> all;
    while (const Text text = subscription.next()) {
      const Json message = Json::parse(*text);
      all.push_back(message.contains("id") ? message["id"].dump() + " " + message["type"].get<std::string>()
                                           : message["type"].get<std::string>() + " " + message["payload"].dump());
    }
    return all;
  }

  const std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>(four_gpus());
  EventRing ring_{100};
};

TEST_F(SubscriptionTest, WhoComesAnewBeginsWithTheLatestSnapshot) {
  happen(EventType::fault);
  tick();
  tick();
  happen(EventType::state);
  auto subscription = listen();
  EXPECT_THAT(told(subscription), ElementsAre(R"(begin {"after":102})", "103 snapshot", "104 state"));
  happen(EventType::throttle);
  EXPECT_THAT(told(subscription), ElementsAre("105 throttle"));
  EXPECT_THAT(told(subscription), ElementsAre());
}

TEST_F(SubscriptionTest, BeforeTheFirstSnapshotItWaits) {
  auto subscription = listen();
  EXPECT_THAT(told(subscription), ElementsAre(R"(begin {"after":100})"));
  tick();
  EXPECT_THAT(told(subscription), ElementsAre("101 snapshot"));
}

TEST_F(SubscriptionTest, WhoComesBackGoesOnBehindTheLastThatHeHas) {
  for (int i = 0; i < 4; ++i) happen(EventType::fault);
  auto subscription = listen(102);
  EXPECT_THAT(told(subscription), ElementsAre(R"(begin {"after":102})", "103 fault", "104 fault"));
}

TEST_F(SubscriptionTest, ANumberOfAnotherStartIsToldAsSuch) {
  happen(EventType::fault);
  for (const std::uint64_t after : {0UL, 99UL, 102UL, 18446744073709551615UL}) {
    auto subscription = listen(after);
    EXPECT_THAT(told(subscription),
                ElementsAre("restarted {\"after\":100,\"asked_after\":" + std::to_string(after) +
                                ",\"note\":\"the numbers are of another start of gpukeeper: what happened since then "
                                "and before this start is not known here\"}",
                            "101 fault"))
        << after;
  }
}

TEST_F(SubscriptionTest, AFilterLeavesOutWhatIsNotWanted) {
  happen(EventType::fault);
  happen(EventType::state);
  tick();
  happen(EventType::fault);
  auto subscription = listen(100, "fault");
  EXPECT_THAT(told(subscription), ElementsAre(R"(begin {"after":100})", "101 fault", "104 fault"));
}

TEST_F(SubscriptionTest, WhoIsSlowIsToldHowManySnapshotsHeSkipped) {
  auto subscription = listen(100);
  EXPECT_THAT(told(subscription).size(), 1U);
  tick();
  happen(EventType::fault);  // which is kept longer
  for (std::size_t i = 0; i < EventRing::kSnapshots + 2; ++i) tick();
  const auto all = told(subscription);
  ASSERT_EQ(all.size(), 1 + 1 + 1 + EventRing::kSnapshots);
  EXPECT_EQ(all[0], R"(skipped {"events":1,"of_the_filter":true,"after":101})");
  EXPECT_EQ(all[1], "102 fault");
  EXPECT_EQ(all[2], R"(skipped {"events":2,"of_the_filter":true,"after":104})");
  EXPECT_EQ(all[3], "105 snapshot");
}

TEST_F(SubscriptionTest, WhoDoesNotWantThemSkippedNothing) {
  auto subscription = listen(100, "fault");
  for (std::size_t i = 0; i < EventRing::kSnapshots + 2; ++i) tick();
  happen(EventType::fault);
  EXPECT_THAT(told(subscription), ElementsAre(R"(begin {"after":100})", "119 fault"));
}

TEST_F(SubscriptionTest, OfWhatIsLongForgottenOnlyTheNumberIsKnown) {
  auto subscription = listen(100, "fault");
  for (std::size_t i = 0; i < EventRing::kEvents + 7; ++i) happen(EventType::state);
  happen(EventType::fault);
  EXPECT_THAT(told(subscription),
              ElementsAre(R"(begin {"after":100})", R"(skipped {"events":8,"of_the_filter":false,"after":8299})",
                          "8300 fault"));
}

TEST_F(SubscriptionTest, SkippedEventsAreToldThoughNothingFollows) {
  auto subscription = listen(100, "fault");
  for (std::size_t i = 0; i < EventRing::kEvents + 1; ++i) happen(EventType::state);
  EXPECT_THAT(told(subscription),
              ElementsAre(R"(begin {"after":100})", R"(skipped {"events":1,"of_the_filter":false,"after":8293})"));
}

TEST_F(SubscriptionTest, OverAStreamANoticeHasNoNumberToResumeFrom) {
  Subscription subscription(ring_, {}, Form::stream, std::nullopt);
  EXPECT_EQ(*subscription.next(), "event: begin\ndata: {\"type\":\"begin\",\"payload\":{\"after\":100}}\n\n");
}

}  // namespace
}  // namespace gpukeeper::events
