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

// Rates are differences of counters over some milliseconds (NVML's of PCIe over 20 ms: nvml.h,
// nvmlDeviceGetPcieThroughput), so what stands behind the leading digits is chance: as text it cost as much as all
// else.
constexpr double kDigitsOfRate = 1e5;

double leading_digits(double whole, double resolution) {
  double step = resolution;
  while (std::abs(whole) >= step * kDigitsOfRate) step *= 10;
  return std::floor(whole / step) * step;
}

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
  // A number that stands on a step already, but for its last bits, stays there: a counter of many joules, too.
  const double exact = value / resolution;
  const double last_bits = 1e-6 + std::abs(exact) * 0x1p-51;
  const double steps = resolution == kOtherwise ? std::round(exact) : std::floor(exact + last_bits);
  // As decimals: 841 tenths are 84.1, while 841 * 0.1 has other last bits.
  const double scale = std::round(1 / resolution);
  double result = resolution < 1 ? steps / scale : steps * resolution;
  if (unit == "bytes/second") result = leading_digits(result, resolution);
  return result == 0 ? 0.0 : result;  // no "-0.0"
}

}  // namespace gpukeeper
