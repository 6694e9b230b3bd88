#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "core/units.hpp"
#include "policy/ladder.hpp"

namespace gpukeeper {

/// An axis with three borders: the temperature, or the fill of the memory. It holds its ladder, and keeps it for some
/// samples when no more values come.
template <class Unit>
class Axis {
 public:
  void sample(std::optional<Unit> value, const Thresholds& thresholds, Unit hysteresis, int hold,
              const LadderRules& rules, MonotonicTime now) {
    if (!value) {
      if (ladder_.state() && ++missing_ > hold) forget();
      return;
    }
    missing_ = 0;
    value_ = value;
    ladder_.observe(state_of(*value, thresholds), held_at(*value, thresholds, hysteresis), rules, now);
  }

  void emergency(Unit value, MonotonicTime now) {
    value_ = value;
    missing_ = 0;
    ladder_.emergency(now);
  }

  void forget() {
    ladder_.reset();
    value_.reset();
    missing_ = 0;
  }

  const Ladder& ladder() const { return ladder_; }
  /// The latest; nothing when none is known any more.
  const std::optional<Unit>& value() const { return value_; }
  /// Since how many samples no value has come.
  int missing() const { return missing_; }

 private:
  // A state is left at its border less the hysteresis, the border itself included: what is just behind the sum counts.
  static State held_at(Unit value, const Thresholds& thresholds, Unit hysteresis) {
    const double just_below = std::nextafter(value.value() + hysteresis.value(), std::numeric_limits<double>::lowest());
    return std::max(state_of(value, thresholds), state_of(Unit(just_below), thresholds));
  }

  Ladder ladder_;
  std::optional<Unit> value_;
  int missing_ = 0;
};

/// An axis with one border that counts only when it is crossed for a while, as load and power jump to and fro.
class SustainedAxis {
 public:
  /// Without a border the axis is off; without a value nothing is held against the device.
  void sample(std::optional<Percent> value, std::optional<Percent> border, std::chrono::nanoseconds sustain,
              const LadderRules& rules, MonotonicTime now) {
    if (!value || !border) {
      *this = SustainedAxis();
      return;
    }
    value_ = value;
    const bool above = *value >= *border;
    if (above != above_) {
      above_ = above;
      since_ = now;
    }
    if (!ladder_.state()) ladder_.observe(State::optimal, State::optimal, rules, now);
    if (now - since_ < sustain) return;
    const State shown = above ? State::throttled : State::optimal;
    ladder_.observe(shown, shown, rules, now);
  }

  const Ladder& ladder() const { return ladder_; }
  const std::optional<Percent>& value() const { return value_; }

 private:
  Ladder ladder_;
  std::optional<Percent> value_;
  bool above_ = false;
  MonotonicTime since_{};
};

}  // namespace gpukeeper
