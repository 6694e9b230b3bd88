#include "policy/ladder.hpp"

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

// A ladder whose time moves by a second a value; hysteresis is left to the caller.
class LadderTest : public testing::Test {
 protected:
  State see(State shown) { return see(shown, shown); }
  State see(State shown, State held) {
    now_ += 1s;
    ladder_.observe(shown, held, rules_, now_);
    return *ladder_.state();
  }
  double speed_after(std::chrono::nanoseconds time) { return ladder_.speed(rules_, now_ + time).multiplier; }

  LadderRules rules_;
  Ladder ladder_;
  MonotonicTime now_{};
};

TEST_F(LadderTest, BeginsWithWhatTheFirstValueShows) {
  EXPECT_FALSE(ladder_.state());
  EXPECT_EQ(speed_after(0s), 1);
  EXPECT_EQ(see(State::critical), State::critical);
}

TEST_F(LadderTest, GoesDownAtOnceOverSeveralStates) {
  see(State::optimal);
  EXPECT_EQ(see(State::critical), State::critical);
  EXPECT_EQ(speed_after(0s), 0);
}

TEST_F(LadderTest, GoesUpOneStateAtATimeAfterTwoSamples) {
  see(State::critical);
  const State kWay[] = {State::critical, State::throttled, State::throttled, State::normal,
                        State::normal,   State::optimal,   State::optimal};
  for (const State state : kWay) EXPECT_EQ(see(State::optimal), state);
}

TEST_F(LadderTest, ASampleThatIsAsBadAsTheStateBeginsTheCountAnew) {
  see(State::throttled);
  see(State::normal);
  see(State::throttled);
  EXPECT_EQ(see(State::normal), State::throttled);
  EXPECT_EQ(see(State::normal), State::normal);
}

TEST_F(LadderTest, StaysWhereHysteresisHoldsIt) {
  see(State::throttled);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(see(State::normal, State::throttled), State::throttled);
}

TEST_F(LadderTest, WithDwellUpwardsOnlyWhatAllSamplesShowedIsBelieved) {
  rules_.up = 2;
  see(State::optimal);
  EXPECT_EQ(see(State::critical), State::optimal);
  EXPECT_EQ(see(State::throttled), State::throttled);
}

TEST_F(LadderTest, AnEmergencyWaitsForNothing) {
  rules_.up = 100;
  see(State::optimal);
  ladder_.emergency(now_);
  EXPECT_EQ(ladder_.state(), State::critical);
}

TEST_F(LadderTest, TheCooldownCountsFromLeavingTheThrottledState) {
  see(State::throttled);
  for (int i = 0; i < 100; ++i) see(State::throttled);  // longer than the cooldown
  see(State::normal);
  ASSERT_EQ(see(State::normal), State::normal);
  EXPECT_EQ(speed_after(0s), 0.5);
  EXPECT_EQ(speed_after(30s - 1ns), 0.5);
  EXPECT_EQ(speed_after(30s), 0.8);
}

TEST_F(LadderTest, ThePauseCountsFromLeavingTheCriticalState) {
  for (int i = 0; i < 100; ++i) see(State::critical);
  see(State::throttled);
  ASSERT_EQ(see(State::throttled), State::throttled);
  EXPECT_EQ(speed_after(0s), 0);
  EXPECT_EQ(speed_after(60s - 1ns), 0);
  EXPECT_EQ(speed_after(60s), 0.5) << "then as the state says";
}

TEST_F(LadderTest, WhoIsThereAgainIsCountedAnew) {
  see(State::critical);
  see(State::optimal);
  ASSERT_EQ(see(State::optimal), State::throttled);
  now_ += 50s;
  ASSERT_EQ(see(State::critical), State::critical);
  see(State::optimal);
  ASSERT_EQ(see(State::optimal), State::throttled);
  EXPECT_EQ(speed_after(60s - 1ns), 0);
}

TEST_F(LadderTest, AfterAPauseThatOutlastedTheCooldownTheStateDecides) {
  see(State::critical);
  for (int i = 0; i < 6; ++i) see(State::optimal);
  ASSERT_EQ(*ladder_.state(), State::optimal);
  EXPECT_EQ(speed_after(55s), 0) << "critical was left four seconds ago";
  EXPECT_EQ(speed_after(56s), 1);
}

TEST_F(LadderTest, WithoutCooldownAndPauseOnlyTheStateDecides) {
  rules_ = {.up = 1, .down = 1, .cooldown = 0s, .pause = 0s};
  see(State::critical);
  see(State::throttled);
  EXPECT_EQ(speed_after(0s), 0.5);
  see(State::normal);
  EXPECT_EQ(speed_after(0s), 0.8);
}

}  // namespace
}  // namespace gpukeeper
