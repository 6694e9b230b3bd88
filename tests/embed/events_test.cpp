#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embed/opened.hpp"

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// Keeps what it is told, and lets a test wait for it.
class Heard {
 public:
  static void listener(const gk_event* event, void* user) { static_cast<Heard*>(user)->hear(*event); }

  struct Event {
    std::string type;
    int device;
    std::string json;
    std::uint64_t sequence;
  };

  Event wait_for(const std::string& type) {
    std::unique_lock lock(mutex_);
    std::size_t seen = 0;
    const bool came = changed_.wait_for(lock, 20s, [&] {
      for (; seen < events_.size(); ++seen) {
        if (events_[seen].type == type) return true;
      }
      return false;
    });
    return came ? events_[seen] : Event{"no " + type + " came", 0, "", 0};
  }
  std::vector<std::string> types() {
    std::scoped_lock lock(mutex_);
    std::vector<std::string> result;
    for (const Event& event : events_) result.push_back(event.type);
    return result;
  }

  std::function<void()> then = [] {};  // done in each call, after it was heard

 private:
  void hear(const gk_event& event) {
    {
      std::scoped_lock lock(mutex_);
      events_.push_back({event.type, event.device, event.json, event.sequence});
      changed_.notify_all();
    }
    then();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> events_;
};

class EventsTest : public testing::Test {
 protected:
  std::uint64_t subscribe(Heard& heard, const char* types) {
    std::uint64_t number = 0;
    EXPECT_EQ(gk_subscribe(keeper_, types, Heard::listener, &heard, &number), GK_OK) << gk_last_error();
    return number;
  }
  std::uint64_t book() {
    const gk_request wanted{.size = sizeof wanted, .service = "embedding", .bytes = 1 << 20, .device = 0};
    gk_lease lease{.size = sizeof lease};
    EXPECT_EQ(gk_allocate(keeper_, &wanted, &lease, nullptr), GK_OK) << gk_last_error();
    return lease.id;
  }

  Heard heard_;  // outlive the keeper
  Heard other_;
  Opened keeper_;
};

TEST_F(EventsTest, TellsOfLeases) {
  subscribe(heard_, "lease");
  const auto id = book();
  EXPECT_EQ(gk_release(keeper_, id), GK_OK);
  const auto granted = heard_.wait_for("lease.granted");
  EXPECT_THAT(granted.json, HasSubstr(R"("type":"lease.granted")"));
  EXPECT_THAT(granted.json, HasSubstr(R"("service":"embedding")"));
  EXPECT_EQ(granted.device, 0);
  const auto ended = heard_.wait_for("lease.ended");
  EXPECT_THAT(ended.json, HasSubstr(R"("reason":"released")"));
  EXPECT_GT(ended.sequence, granted.sequence);
}

TEST_F(EventsTest, TellsOfStatesInTheWordsOfTheGovernorAndInThoseOfTheDaemon) {
  subscribe(heard_, nullptr);
  ASSERT_EQ(gk_configure(keeper_, R"({"temp_optimal": 1, "temp_normal": 5, "temp_throttle": 10, "temp_critical": 11})"),
            GK_OK)
      << gk_last_error();
  ASSERT_EQ(gk_monitor(keeper_, 1), GK_OK);
  const auto change = heard_.wait_for("state_change");
  EXPECT_THAT(change.json, HasSubstr(R"("new_state":"critical")"));
  EXPECT_GE(change.device, 0);
  EXPECT_THAT(heard_.wait_for("critical").json, HasSubstr(R"("speed_multiplier":0.0)"));
  EXPECT_EQ(heard_.wait_for("overheat").type, "overheat");
  EXPECT_THAT(heard_.wait_for("state").json, HasSubstr(R"("state":"critical")"));
  EXPECT_THAT(heard_.wait_for("speed").json, HasSubstr(R"("type":"speed")"));
  EXPECT_THAT(heard_.wait_for("snapshot").json, HasSubstr(R"("schema":"gpukeeper.status/1")"));
}

TEST_F(EventsTest, UnknownTypesAreNamed) {
  EXPECT_EQ(gk_subscribe(keeper_, "lease,overheated", Heard::listener, &heard_, nullptr), GK_INVALID);
  EXPECT_STREQ(
      gk_last_error(),
      "types: there are no events called 'overheated': state_change, device_lost, device_recovered, critical, "
      "throttle, resume, overheat, yield, yield_over, snapshot, state, speed, alert, fault, lease are known, and of "
      "a group one kind as in alert.fired");
  EXPECT_EQ(gk_subscribe(keeper_, nullptr, nullptr, nullptr, nullptr), GK_INVALID);
  EXPECT_STREQ(gk_last_error(), "listener is NULL: give a function");
  EXPECT_EQ(gk_unsubscribe(keeper_, 77), GK_NOT_FOUND);
  EXPECT_STREQ(gk_last_error(), "there is no subscription 77");
}

TEST_F(EventsTest, AListenerThatThrowsIsCalledAgain) {
  heard_.then = [] { throw std::runtime_error("a mistake of the program's"); };
  subscribe(heard_, "lease.granted");
  book();
  book();
  heard_.wait_for("lease.granted");
  subscribe(other_, "lease.ended");
  EXPECT_EQ(gk_release(keeper_, book()), GK_OK);
  EXPECT_EQ(other_.wait_for("lease.ended").type, "lease.ended");
}

TEST_F(EventsTest, AListenerMayCallTheKeeperAndEndItself) {
  std::atomic<std::uint64_t> number = 0;
  std::promise<gk_result> ended;
  std::atomic<int> calls = 0;
  heard_.then = [&] {
    ++calls;
    gk_reading reading{.size = sizeof reading};
    EXPECT_EQ(gk_read(keeper_, 0, &reading), GK_OK);
    while (number == 0) std::this_thread::yield();  // until it is known here, too
    ended.set_value(gk_unsubscribe(keeper_, number));
  };
  number = subscribe(heard_, "lease.granted");
  book();
  EXPECT_EQ(ended.get_future().get(), GK_OK);
  book();
  keeper_.close();
  EXPECT_EQ(calls, 1);
}

TEST_F(EventsTest, AListenerMayNotCloseItsKeeper) {
  std::promise<std::string> said;
  heard_.then = [&] {
    gk_close(keeper_);
    said.set_value(gk_last_error());
  };
  subscribe(heard_, "lease.granted");
  book();
  EXPECT_EQ(said.get_future().get(),
            "gk_close() was called by a listener of this keeper, which it would have to wait for: call it from another "
            "thread");
  EXPECT_EQ(gk_device_count(keeper_), 2U);
}

TEST_F(EventsTest, WhatASlowListenerMissedItIsTold) {
  std::promise<void> go_on;
  auto may_go_on = go_on.get_future().share();
  heard_.then = [may_go_on] { may_go_on.wait(); };
  subscribe(heard_, "lease.granted");
  book();
  heard_.wait_for("lease.granted");
  for (int i = 0; i < 300; ++i) book();
  subscribe(other_, "lease.granted");
  book();
  other_.wait_for("lease.granted");
  go_on.set_value();
  EXPECT_THAT(heard_.wait_for("skipped").json, HasSubstr(R"("payload":{"events":45})"));
}

TEST_F(EventsTest, OnceUnsubscribedTheListenerIsNotCalledAgain) {
  const auto number = subscribe(heard_, "lease.granted");
  book();
  heard_.wait_for("lease.granted");
  EXPECT_EQ(gk_unsubscribe(keeper_, number), GK_OK);
  book();
  subscribe(other_, "lease.granted");
  book();
  other_.wait_for("lease.granted");
  EXPECT_THAT(heard_.types(), ElementsAre("lease.granted"));
}

}  // namespace
