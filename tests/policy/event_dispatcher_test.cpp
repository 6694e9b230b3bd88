#include "policy/event_dispatcher.hpp"

#include <future>
#include <latch>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

GovernorEvent event(GovernorEventKind kind, std::uint64_t sequence = 1) {
  return {.kind = kind, .device = std::make_shared<const DeviceSnapshot>(), .sequence = sequence};
}

// What a subscriber got; it is read once the dispatcher has drained.
struct Got {
  std::vector<std::uint64_t> sequences;
  EventDispatcher::Callback callback() {
    return [this](const GovernorEvent& e) { sequences.push_back(e.sequence); };
  }
};

std::vector<GovernorEvent> numbered(std::uint64_t from, std::uint64_t to) {
  std::vector<GovernorEvent> events;
  for (auto i = from; i <= to; ++i) events.push_back(event(GovernorEventKind::state_change, i));
  return events;
}

TEST(EventDispatcherTest, EveryoneGetsWhatItAskedForInOrder) {
  EventDispatcher dispatcher;
  Got all;
  Got critical;
  dispatcher.subscribe("all", std::nullopt, all.callback());
  dispatcher.subscribe("critical", GovernorEventKind::critical, critical.callback());
  dispatcher.post(numbered(1, 100));
  dispatcher.post(std::vector{event(GovernorEventKind::critical, 101)});
  dispatcher.drain();
  EXPECT_EQ(all.sequences.size(), 101u);
  EXPECT_TRUE(std::ranges::is_sorted(all.sequences));
  EXPECT_THAT(critical.sequences, ElementsAre(101));
}

TEST(EventDispatcherTest, WhoThrowsHarmsNobodyAndIsNamed) {
  std::vector<std::string> complaints;
  {
    EventDispatcher dispatcher([&](const std::string& text) { complaints.push_back(text); });
    Got other;
    const auto bad = dispatcher.subscribe("bad", std::nullopt, [](const GovernorEvent& e) {
      if (e.sequence == 1) throw std::runtime_error("no such queue");
    });
    dispatcher.subscribe("other", std::nullopt, other.callback());
    dispatcher.post(numbered(1, 2));
    dispatcher.drain();
    EXPECT_THAT(other.sequences, ElementsAre(1, 2));
    EXPECT_EQ(dispatcher.lost(bad), 0u);
  }
  EXPECT_THAT(complaints, ElementsAre("the subscriber bad failed at state_change: no such queue"));
}

TEST(EventDispatcherTest, WhoIsSlowDelaysNobodyAndLosesItsOldestEvents) {
  std::vector<std::string> complaints;
  std::latch begun(1);
  std::promise<void> let_go;
  EventDispatcher dispatcher([&](const std::string& text) { complaints.push_back(text); }, 4);
  Got slow;
  Got quick;
  const auto token = dispatcher.subscribe("slow", std::nullopt, [&](const GovernorEvent& e) {
    if (e.sequence == 1) {
      begun.count_down();
      let_go.get_future().wait();
    }
    slow.sequences.push_back(e.sequence);
  });
  dispatcher.post(numbered(1, 1));
  begun.wait();
  dispatcher.post(numbered(2, 10));
  EXPECT_EQ(dispatcher.lost(token), 5u);

  const auto other = dispatcher.subscribe("quick", std::nullopt, quick.callback());
  dispatcher.post(numbered(11, 11));
  EXPECT_TRUE(dispatcher.unsubscribe(other)) << "it waits for its own only";

  let_go.set_value();
  dispatcher.drain();
  EXPECT_THAT(slow.sequences, ElementsAre(1, 8, 9, 10, 11));
  EXPECT_THAT(complaints, ElementsAre("the subscriber slow is too slow: 6 events of the governor did not reach it"));
}

TEST(EventDispatcherTest, WhoHasUnsubscribedIsNotCalledAnyMore) {
  EventDispatcher dispatcher;
  Got got;
  const auto token = dispatcher.subscribe("got", std::nullopt, got.callback());
  EXPECT_TRUE(dispatcher.unsubscribe(token));
  EXPECT_FALSE(dispatcher.unsubscribe(token));
  dispatcher.post(numbered(1, 3));
  dispatcher.drain();
  EXPECT_THAT(got.sequences, IsEmpty());
}

TEST(EventDispatcherTest, ACallbackMayUnsubscribeItself) {
  EventDispatcher dispatcher;
  std::promise<EventDispatcher::Token> token;
  std::promise<void> done;
  int calls = 0;
  token.set_value(dispatcher.subscribe("once", std::nullopt, [&](const GovernorEvent&) {
    ++calls;
    EXPECT_TRUE(dispatcher.unsubscribe(token.get_future().get()));
    done.set_value();
  }));
  dispatcher.post(numbered(1, 3));
  done.get_future().wait();
  dispatcher.drain();
  EXPECT_EQ(calls, 1);
}

TEST(EventDispatcherTest, NobodyIsCalledAfterItsEnd) {
  Got got;
  std::latch begun(1);
  {
    EventDispatcher dispatcher;
    dispatcher.subscribe("got", std::nullopt, [&](const GovernorEvent& e) {
      got.callback()(e);
      if (e.sequence == 1) begun.count_down();
    });
    dispatcher.post(numbered(1, 1));
    begun.wait();
  }
  EXPECT_THAT(got.sequences, ElementsAre(1));
}

}  // namespace
}  // namespace gpukeeper
