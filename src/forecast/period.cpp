#include "forecast/period.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace gpukeeper::forecast {
namespace {

constexpr std::size_t kMinute = 6;  // cells
constexpr std::size_t kShortest = 2, kTimes = 3;
constexpr double kAlike = 0.8;
constexpr double kAsGood = 0.05;  // twice the period is as good, but for noise

// Of each minute, the last of them ending with the last cell, less their mean.
std::vector<double> minutes_of(const Series& values) {
  const std::size_t last = values.size() - 1;
  std::vector<double> minutes(values.unbroken(last) / kMinute);
  double mean = 0;
  for (std::size_t i = 0; i < minutes.size(); ++i) {
    minutes[i] = values.mean(last - (minutes.size() - 1 - i) * kMinute, kMinute).value;
    mean += minutes[i] / static_cast<double>(minutes.size());
  }
  for (double& minute : minutes) minute -= mean;
  return minutes;
}

// From -1 to 1; 0 where nothing changes.
double alike(const std::vector<double>& minutes, std::size_t lag) {
  double product = 0, before = 0, after = 0;
  for (std::size_t i = lag; i < minutes.size(); ++i) {
    product += minutes[i] * minutes[i - lag];
    before += minutes[i - lag] * minutes[i - lag];
    after += minutes[i] * minutes[i];
  }
  return before > 0 && after > 0 ? product / std::sqrt(before * after) : 0;
}

// In minutes.
std::optional<std::size_t> rough_period(const std::vector<double>& minutes) {
  std::vector<double> peaks(minutes.size() / kTimes + 1, 0.0);
  double best = 0, before = 1, now = alike(minutes, 1);
  bool fell = false;  // what is alike a moment later need not repeat
  for (std::size_t lag = 1; lag + 1 < peaks.size(); ++lag) {
    const double next = alike(minutes, lag + 1);
    fell = fell || now < kAlike - kAsGood;
    if (fell && lag >= kShortest && now >= before && now >= next) best = std::max(best, peaks[lag] = now);
    before = now;
    now = next;
  }
  if (best < kAlike) return std::nullopt;
  const auto first = std::ranges::find_if(peaks, [&](double peak) { return peak >= best - kAsGood; });
  return static_cast<std::size_t>(first - peaks.begin());
}

}  // namespace

std::optional<std::size_t> period_of(const Series& values) {
  if (values.empty() || values.unbroken(values.size() - 1) == 0) return std::nullopt;
  const auto rough = rough_period(minutes_of(values));
  if (!rough) return std::nullopt;
  // To the cell: where what was a period ago differs least.
  const std::size_t last = values.size() - 1, length = values.unbroken(last);
  std::size_t period = *rough * kMinute;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t lag = *rough * kMinute - kMinute; lag <= *rough * kMinute + kMinute && lag < length; ++lag) {
    double apart = 0;
    for (std::size_t k = 0; k < length - lag; ++k) apart += std::abs(values.at(last - k) - values.at(last - k - lag));
    apart /= static_cast<double>(length - lag);
    if (apart < least) {
      least = apart;
      period = lag;
    }
  }
  return period;
}

}  // namespace gpukeeper::forecast
