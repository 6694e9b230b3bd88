#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include "fakes/past.hpp"
#include "telemetry/history_block.hpp"

namespace gpukeeper::forecast {

/// A value a second, in [from, to).
inline std::vector<TimedValue> curve(int from, int to, const std::function<double(int)>& value) {
  std::vector<TimedValue> values;
  for (int i = from; i < to; ++i) values.push_back({Past::at(i), value(i)});
  return values;
}

/// The temperature of a device that works for `period` seconds and rests for as long, again and again: it goes towards
/// 80 °C and 40 °C with a time constant of a minute.
inline double work_and_rest(int second, int period) {
  constexpr double kTau = 60;
  double celsius = 40;
  for (int at = 0; at < second; at += period) {
    const double goal = (at / period) % 2 == 0 ? 80 : 40;
    const int length = std::min(period, second - at);
    celsius = goal + (celsius - goal) * std::exp(-length / kTau);
  }
  return celsius;
}

/// The watts meanwhile: 300 and 100.
inline double watts_of_work(int second, int period) {
  return (second / period) % 2 == 0 ? 300 : 100;
}

}  // namespace gpukeeper::forecast
