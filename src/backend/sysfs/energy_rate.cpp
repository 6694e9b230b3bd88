#include "backend/sysfs/energy_rate.hpp"

#include <algorithm>

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

// Two readings closer than this say more about when the firmware updates its counter than about the device.
constexpr auto kShortest = 20ms;

// More than any board can draw (the largest accelerators stay below 2 kW): the counter was set, not grown.
constexpr double kMostWatts = 10'000;

double seconds(MonotonicTime::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Metric<Watts> EnergyRate::update(MonotonicTime now, std::uint64_t microjoules) {
  if (!last_ || microjoules < last_->microjoules) {
    last_ = Sample{now, microjoules};
    return missing(Missing::not_yet_read);
  }
  // An unchanged counter keeps its first sample, so that the next difference covers the whole time.
  if (microjoules == last_->microjoules || now - last_->at < kShortest) return missing(Missing::not_yet_read);
  const double watts = static_cast<double>(microjoules - last_->microjoules) / 1e6 / seconds(now - last_->at);
  last_ = Sample{now, microjoules};
  if (watts > kMostWatts) return missing(Missing::not_yet_read);
  return Watts(watts);
}

Metric<Percent> ResidencyRate::update(MonotonicTime now, std::chrono::nanoseconds residency) {
  if (!last_ || residency < last_->residency) {
    last_ = Sample{now, residency};
    return missing(Missing::not_yet_read);
  }
  if (now - last_->at < kShortest) return missing(Missing::not_yet_read);
  const double share =
      100.0 * std::chrono::duration<double>(residency - last_->residency).count() / seconds(now - last_->at);
  last_ = Sample{now, residency};
  return Percent(std::clamp(share, 0.0, 100.0));
}

}  // namespace gpukeeper
