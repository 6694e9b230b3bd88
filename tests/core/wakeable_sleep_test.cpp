#include "core/wakeable_sleep.hpp"

#include <future>

#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

TEST(WakeableSleepTest, ItLastsUntilItsTimeWhenNobodyWakesIt) {
  FakeClock clock;
  WakeableSleep sleep;
  const auto until = clock.now() + 5s;
  sleep.until(clock, until, {});
  EXPECT_EQ(clock.now(), until);
}

TEST(WakeableSleepTest, AWakeThatCameBeforeEndsTheNextSleepOnly) {
  FakeClock clock;
  WakeableSleep sleep;
  const auto begin = clock.now();
  sleep.wake();
  sleep.wake();
  sleep.until(clock, begin + 5s, {});
  EXPECT_EQ(clock.now(), begin);
  sleep.until(clock, begin + 5s, {});
  EXPECT_EQ(clock.now(), begin + 5s);
}

// In real time, for a day: a test that hangs shows that it was not woken.
TEST(WakeableSleepTest, AWakeEndsASleepInProgress) {
  SystemClock clock;
  WakeableSleep sleep;
  auto woken = std::async(std::launch::async, [&] { sleep.until(clock, clock.now() + 24h, {}); });
  sleep.wake();
  EXPECT_EQ(woken.wait_for(10s), std::future_status::ready);
}

TEST(WakeableSleepTest, AStopEndsIt) {
  SystemClock clock;
  WakeableSleep sleep;
  std::stop_source stop;
  auto ended = std::async(std::launch::async, [&] { sleep.until(clock, clock.now() + 24h, stop.get_token()); });
  stop.request_stop();
  EXPECT_EQ(ended.wait_for(10s), std::future_status::ready);
  sleep.until(clock, clock.now() + 24h, stop.get_token());  // and one that begins after it
}

}  // namespace
}  // namespace gpukeeper
