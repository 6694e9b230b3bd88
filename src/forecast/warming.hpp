#pragma once

#include <cstddef>
#include <optional>

namespace gpukeeper::forecast {

/// How power warms a device: of the first order, towards a level that the power leads to, and ever slower the nearer it
/// is (Newton's law of cooling). Learnt from pairs of temperatures one cell apart and the power between them, by least
/// squares; what lies hours back counts less, as rooms and fans change.
class Warming {
 public:
  struct Law {
    double ambient = 0;   ///< °C where no power is drawn
    double per_watt = 0;  ///< °C that a watt leads to
    double tau = 0;       ///< seconds in which all but 37 % of the way is gone

    double level(double watts) const { return ambient + per_watt * watts; }
  };

  void learn(double celsius, double watts, double next_celsius);

  /// Nothing while too little was seen, or what was seen is none: power that does not change teaches nothing.
  std::optional<Law> law() const;

 private:
  double weight_ = 0;
  double t_ = 0, p_ = 0, y_ = 0;                       // sums of temperature, power, change
  double tt_ = 0, tp_ = 0, pp_ = 0, ty_ = 0, py_ = 0;  // and of their products
};

}  // namespace gpukeeper::forecast
