#include "telemetry/trend.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

using Minutes = std::chrono::duration<double, std::ratio<60>>;
using std::chrono::nanoseconds;
using Values = std::span<const TimedValue>;

constexpr auto kForesight = std::chrono::hours(24);

// What comes behind the last long silence.
Values since_gap(Values values, nanoseconds gap) {
  for (std::size_t i = values.size(); i > 1; --i) {
    if (values[i - 1].at - values[i - 2].at > gap) return values.subspan(i - 1);
  }
  return values;
}

double middle_of(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// How far a value lies from the one before it, typically.
double typical_step(Values values) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < values.size(); ++i) steps.push_back(std::abs(values[i].value - values[i - 1].value));
  return middle_of(steps);
}

// The values without those that their neighbours leave alone: five in a row vote. A step is none of these: from its
// first value on, most agree. On a steep slope the outer of the five are far from the middle without being wrong, so
// typical steps are allowed for.
std::vector<TimedValue> without_spikes(Values values, double distance) {
  constexpr std::size_t kVoters = 5;
  if (values.size() < kVoters) return {values.begin(), values.end()};
  distance += kVoters / 2 * typical_step(values);
  std::vector<TimedValue> kept;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t begin = std::clamp<std::size_t>(i, kVoters / 2, values.size() - kVoters / 2 - 1) - kVoters / 2;
    std::array<double, kVoters> voters{};
    for (std::size_t k = 0; k < kVoters; ++k) voters.at(k) = values[begin + k].value;
    if (std::abs(values[i].value - middle_of(voters)) <= distance) kept.push_back(values[i]);
  }
  return kept;
}

// The line of least squares. Times count from their mean: squares of large numbers would eat the small ones.
void fit(Values values, const TrendRules& rules, Trend& trend) {
  const auto kept = without_spikes(values, rules.spike);
  trend.spikes = values.size() - kept.size();
  if (kept.size() < 2) return;
  const auto minutes = [&](const TimedValue& v) { return Minutes(v.at - kept.front().at).count(); };
  double mean_time = 0, mean_value = 0;
  for (const TimedValue& v : kept) {
    mean_time += minutes(v) / static_cast<double>(kept.size());
    mean_value += v.value / static_cast<double>(kept.size());
  }
  double covariance = 0, variance = 0;
  for (const TimedValue& v : kept) {
    const double time = minutes(v) - mean_time;
    covariance += time * (v.value - mean_value);
    variance += time * time;
  }
  if (!(variance > 0)) return;
  trend.per_minute = covariance / variance;
  trend.covered = kept.back().at - kept.front().at;
  const double change = trend.per_minute * Minutes(trend.covered).count();
  // A line through tenths of degrees that changes by one has a last bit too few now and then.
  constexpr double kLastBits = 1e-9;
  if (change >= rules.moves - kLastBits) trend.direction = TrendDirection::rising;
  if (change <= -rules.moves + kLastBits) trend.direction = TrendDirection::falling;
}

std::optional<TrendLimit> next_limit(double current, const Thresholds& thresholds, std::optional<double> slowdown) {
  std::optional<TrendLimit> next;
  const auto consider = [&](double celsius, std::string_view name) {
    if (celsius > current && (!next || celsius < next->celsius)) next = TrendLimit{celsius, name};
  };
  consider(thresholds.temp_throttle.value(), "throttle");
  if (slowdown) consider(*slowdown, "slowdown");
  return next;
}

}  // namespace

std::string_view to_string(TrendDirection direction) {
  switch (direction) {
    case TrendDirection::rising: return "rising";
    case TrendDirection::falling: return "falling";
    case TrendDirection::stable: return "stable";
  }
  return "stable";
}

std::optional<Trend> trend_of(Values values, const TrendRules& rules) {
  if (values.empty()) return std::nullopt;
  Trend trend;
  trend.count = values.size();
  trend.current = trend.min = trend.max = values.back().value;
  for (const TimedValue& v : values) {
    trend.min = std::min(trend.min, v.value);
    trend.max = std::max(trend.max, v.value);
    trend.avg += v.value / static_cast<double>(values.size());
  }
  trend.is_stable = trend.max - trend.min < rules.steady;
  fit(since_gap(values, rules.gap), rules, trend);
  return trend;
}

std::optional<nanoseconds> time_until(const Trend& trend, double limit) {
  if (trend.direction != TrendDirection::rising || trend.current >= limit) return std::nullopt;
  const Minutes time((limit - trend.current) / trend.per_minute);
  if (time > kForesight) return std::nullopt;
  return std::chrono::duration_cast<nanoseconds>(time);
}

Result<TemperatureTrend> temperature_trend(const History& history, const DeviceId& device, nanoseconds window,
                                           const Thresholds& thresholds) {
  const auto now = history.now();
  const MonotonicTime from = now ? now->at - window : MonotonicTime();
  for (const std::string_view metric : {"temperature_celsius", "temperature_hotspot_celsius"}) {
    auto values = history.values(device, metric, from);
    if (!values || values->empty()) continue;
    TemperatureTrend result;
    result.trend = *trend_of(*values);
    result.metric = metric;
    result.values = std::move(*values);
    const auto slowdown = history.values(device, "temperature_slowdown_celsius", from);
    result.limit = next_limit(result.trend.current, thresholds,
                              slowdown && !slowdown->empty() ? std::optional(slowdown->back().value) : std::nullopt);
    if (result.limit) result.until = time_until(result.trend, result.limit->celsius);
    return result;
  }
  return fail(Errc::not_found, fmt::format("no temperature of {} was measured in the last {} s", device.text,
                                           std::chrono::floor<std::chrono::seconds>(window).count()));
}

}  // namespace gpukeeper
