#include "policy/ladder.hpp"

#include <algorithm>

namespace gpukeeper {

void Ladder::observe(State shown, State held, const LadderRules& rules, MonotonicTime now) {
  if (!state_ || shown == *state_) {
    enter(shown, now);
    return;
  }
  if (shown > *state_) {
    mildest_ = worse_ == 0 ? shown : std::min(mildest_, shown);
    better_ = 0;
    if (++worse_ >= rules.up) enter(mildest_, now);
  } else if (held < *state_) {
    worse_ = 0;
    if (++better_ >= rules.down) enter(static_cast<State>(static_cast<int>(*state_) - 1), now);
  } else {
    worse_ = better_ = 0;
  }
}

void Ladder::enter(State next, MonotonicTime now) {
  const State before = state_.value_or(next);
  if (before == State::critical && next < State::critical) left_critical_ = now;
  if (before >= State::throttled && next < State::throttled) left_throttled_ = now;
  if (next == State::critical) left_critical_.reset();
  if (next >= State::throttled) left_throttled_.reset();
  state_ = next;
  worse_ = better_ = 0;
}

Ladder::Speed Ladder::speed(const LadderRules& rules, MonotonicTime now) const {
  if (!state_) return {};
  const double by_state = speed_of(*state_);
  if (left_critical_ && now < *left_critical_ + rules.pause) {
    return {.multiplier = speed_of(State::critical), .reason = Reason::pause, .until = *left_critical_ + rules.pause};
  }
  if (left_throttled_ && now < *left_throttled_ + rules.cooldown) {
    return {.multiplier = std::min(by_state, speed_of(State::throttled)),
            .reason = Reason::cooldown,
            .until = *left_throttled_ + rules.cooldown};
  }
  return {.multiplier = by_state, .reason = Reason::state, .until = std::nullopt};
}

}  // namespace gpukeeper
