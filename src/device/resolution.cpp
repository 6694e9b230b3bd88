#include "device/resolution.hpp"

#include <cmath>

namespace gpukeeper {
namespace {

struct Row {
  std::string_view unit;  // as in the metric table
  double resolution;
};

constexpr Row kRows[] = {
    {"percent", 0.1}, {"celsius", 0.1}, {"watts", 0.01},        {"joules", 0.1},
    {"megahertz", 1}, {"rpm", 1},       {"bytes/second", 1000},
};
constexpr double kOtherwise = 0.001;  // as every output

}  // namespace

double resolution_of(std::string_view unit) {
  for (const Row& row : kRows) {
    if (row.unit == unit) return row.resolution;
  }
  return kOtherwise;
}

double as_recorded(std::string_view unit, double value) {
  const double resolution = resolution_of(unit);
  if (std::abs(value) >= 0x1p52) return value;  // whole already, and a thousandfold might be no number any more
  // A number that stands on a step already, but for its last bits, stays there.
  constexpr double kLastBits = 1e-6;
  const double steps =
      resolution == kOtherwise ? std::round(value / resolution) : std::floor(value / resolution + kLastBits);
  // As decimals: 841 tenths are 84.1, while 841 * 0.1 has other last bits.
  const double scale = std::round(1 / resolution);
  const double result = resolution < 1 ? steps / scale : steps * resolution;
  return result == 0 ? 0.0 : result;  // no "-0.0"
}

}  // namespace gpukeeper
