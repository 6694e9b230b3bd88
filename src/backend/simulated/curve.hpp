#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "device/metric_table.hpp"

namespace gpukeeper::simulated {

/// A value over the scenario's time, in seconds from its start. A number, text or yes/no as its metric wants it, or
/// absent with a reason.
struct Curve {
  using Value = Metric<MetricValue>;

  struct Point {
    double at = 0;
    double value = 0;
  };
  struct Line {  ///< straight between points (at least one, times rising), level before the first and after the last
    std::vector<Point> points;
  };
  struct Step {
    double at = 0;
    Value value;
  };
  struct Steps {  ///< each value holds until the next (at least one, times rising); the first also before its time
    std::vector<Step> steps;
  };
  struct Sine {
    double mean = 0;
    double amplitude = 0;
    double period = 1;
    double phase = 0;  ///< seconds by which the wave is ahead
  };

  std::variant<Value, Line, Steps, Sine> shape = Value(0.0);
  double repeat = 0;  ///< period in seconds after which it starts over; 0 for never
  double jitter = 0;  ///< standard deviation of the noise on top, at most three of them; new every second

  /// The value at an instant. `noise_key` names the metric of the device of the scenario's seed: noise depends on it
  /// and the time alone, not on what was asked before.
  Value at(double seconds, std::uint64_t noise_key) const;
};

/// Mixes a value into a hash; the same on every machine (SplitMix64 by Sebastiano Vigna, public domain).
std::uint64_t mix(std::uint64_t hash, std::uint64_t value);
std::uint64_t mix(std::uint64_t hash, std::string_view text);

/// A number of the standard normal distribution, cut at three, for this key and second.
double normal(std::uint64_t noise_key, double seconds);

}  // namespace gpukeeper::simulated
