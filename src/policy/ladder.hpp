#pragma once

#include <chrono>
#include <optional>

#include "core/clock.hpp"
#include "telemetry/state.hpp"

namespace gpukeeper {

/// The speed that a state stands for: 1, 0.8, 0.5, 0; 1 where nothing is known.
constexpr double speed_of(State state) {
  switch (state) {
    case State::normal: return 0.8;
    case State::throttled: return 0.5;
    case State::critical: return 0;
    case State::optimal:
    case State::unavailable: break;
  }
  return 1;
}

struct LadderRules {
  int up = 1;    ///< samples in a row that must show a worse state
  int down = 2;  ///< samples in a row that must show a better one
  std::chrono::nanoseconds cooldown = std::chrono::seconds(30);
  std::chrono::nanoseconds pause = std::chrono::seconds(60);
};

/// How one axis of a device (its temperature, its memory) goes through the states: down fast, over as many states as it
/// takes; up slowly, one state at a time. Once it has left the critical state, work pauses for a while longer; once it
/// has left the throttled one, it stays slow for a while. Both are counted from leaving, and anew when it was there
/// again: counted from entering, a device that was hot for long would be let go at its first cool sample.
///
/// Threads: one.
class Ladder {
 public:
  /// `shown`: the state that the value shows. `held`: the worst that hysteresis lets it stay in, never better than
  /// `shown`.
  void observe(State shown, State held, const LadderRules& rules, MonotonicTime now);

  /// Critical at once.
  void emergency(MonotonicTime now) { enter(State::critical, now); }

  /// As if there had never been a value.
  void reset() { *this = Ladder(); }

  /// Nothing before the first value.
  std::optional<State> state() const { return state_; }

  enum class Reason { state, pause, cooldown };
  struct Speed {
    double multiplier = 1;
    Reason reason = Reason::state;
    std::optional<MonotonicTime> until;  ///< of a pause or cooldown
  };
  Speed speed(const LadderRules& rules, MonotonicTime now) const;

  /// How many samples in a row have shown a better state, so far.
  int better() const { return better_; }

 private:
  void enter(State next, MonotonicTime now);

  std::optional<State> state_;
  State mildest_ = State::optimal;  // of the samples in worse_: only what all of them showed is believed
  int worse_ = 0;
  int better_ = 0;
  std::optional<MonotonicTime> left_critical_;   // while it has not been there again
  std::optional<MonotonicTime> left_throttled_;  // that, or worse
};

}  // namespace gpukeeper
