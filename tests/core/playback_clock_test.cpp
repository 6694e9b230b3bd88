#include "core/playback_clock.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

class PlaybackClockTest : public ::testing::Test {
 protected:
  const std::shared_ptr<FakeClock> real = std::make_shared<FakeClock>();
  const std::stop_token no_stop{};
};

TEST_F(PlaybackClockTest, StandsStillWhileWorkIsDone) {
  PlaybackClock clock(real, 60);
  const auto before = clock.now();
  real->advance(10s);
  EXPECT_EQ(clock.now(), before);
}

TEST_F(PlaybackClockTest, ASleepTakesItsShareOfRealTime) {
  PlaybackClock clock(real, 60);
  const auto begin = clock.now();
  const auto real_begin = real->now();
  clock.sleep_until(begin + 60s, no_stop);
  EXPECT_EQ(clock.now() - begin, 60s);
  EXPECT_EQ(real->now() - real_begin, 1s);
}

TEST_F(PlaybackClockTest, WithoutASpeedASleepTakesNoTimeAtAll) {
  PlaybackClock clock(real, std::nullopt);
  const auto begin = clock.now();
  const auto real_begin = real->now();
  clock.sleep_until(begin + 24h, no_stop);
  EXPECT_EQ(clock.now() - begin, 24h);
  EXPECT_EQ(real->now(), real_begin);
}

TEST_F(PlaybackClockTest, WorkBetweenTwoSleepsIsTakenOffTheSecond) {
  PlaybackClock clock(real, 1);
  const auto begin = clock.now();
  const auto real_begin = real->now();
  clock.sleep_until(begin + 1s, no_stop);
  real->advance(300ms);
  clock.sleep_until(begin + 2s, no_stop);
  EXPECT_EQ(real->now() - real_begin, 2s);
}

TEST_F(PlaybackClockTest, WhatAPauseMissedIsNotPlayedFasterAfterwards) {
  PlaybackClock clock(real, 1);
  const auto begin = clock.now();
  clock.sleep_until(begin + 1s, no_stop);
  real->advance(1h);  // suspended
  clock.sleep_until(begin + 2s, no_stop);
  const auto real_before = real->now();
  clock.sleep_until(begin + 3s, no_stop);
  EXPECT_EQ(real->now() - real_before, 1s);
}

TEST_F(PlaybackClockTest, TimeNeverGoesBack) {
  PlaybackClock clock(real, std::nullopt);
  const auto begin = clock.now();
  clock.move_to(begin + 5s);
  clock.move_to(begin + 2s);
  EXPECT_EQ(clock.now() - begin, 5s);
}

TEST_F(PlaybackClockTest, AStoppedSleepLeavesTimeAlone) {
  PlaybackClock clock(real, 1);
  const auto begin = clock.now();
  std::stop_source stop;
  stop.request_stop();
  clock.sleep_until(begin + 5s, stop.get_token());
  EXPECT_EQ(clock.now(), begin);
}

TEST_F(PlaybackClockTest, TheDateCanBeThatOfARecordingAndMovesAlong) {
  PlaybackClock clock(real, std::nullopt);
  EXPECT_EQ(clock.wall(), real->wall());
  const WallTime then{1h};
  clock.set_wall(then);
  clock.move_to(clock.now() + 90s);
  EXPECT_EQ(clock.wall(), then + 90s);
}

TEST_F(PlaybackClockTest, AGuestWaitsUntilTimeBringsWhatItWaitsFor) {
  PlaybackClock clock(real, std::nullopt);
  const auto end = clock.now() + 3s;
  bool over = false;
  std::thread guest([&] { over = clock.wait_while([&] { return clock.now() < end; }, {}); });
  for (int second = 0; second < 3; ++second) {
    clock.await([](std::size_t waiting) { return waiting == 1; });
    clock.move_to(clock.now() + 1s);
  }
  guest.join();
  EXPECT_TRUE(over);
}

TEST_F(PlaybackClockTest, AGuestThatIsStoppedLeavesAndIsNotCountedAnyMore) {
  PlaybackClock clock(real, std::nullopt);
  std::stop_source stop;
  bool over = true;
  std::thread guest([&] { over = clock.wait_while([] { return true; }, stop.get_token()); });
  clock.await([](std::size_t waiting) { return waiting == 1; });
  stop.request_stop();
  guest.join();
  EXPECT_FALSE(over);
  clock.await([](std::size_t waiting) { return waiting == 0; });
}

TEST_F(PlaybackClockTest, TheEndOfThePlayEndsAllWaitsThoseToComeToo) {
  PlaybackClock clock(real, std::nullopt);
  bool over = true;
  std::thread guest([&] { over = clock.wait_while([] { return true; }, {}); });
  clock.await([](std::size_t waiting) { return waiting == 1; });
  clock.end_waits();
  guest.join();
  EXPECT_FALSE(over);
  EXPECT_FALSE(clock.wait_while([] { return true; }, {}));
}

}  // namespace
}  // namespace gpukeeper
