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

// A straight line; its times count from the mean, as squares of large numbers would eat the small ones.
struct Line {
  MonotonicTime from{};
  double mean_time = 0;  // minutes from there
  double mean_value = 0;
  double per_minute = 0;

  double minutes(const TimedValue& v) const { return Minutes(v.at - from).count() - mean_time; }
  /// How far a value lies above it.
  double above(const TimedValue& v) const { return v.value - mean_value - per_minute * minutes(v); }
};

// That of least squares.
Line line_through(Values values) {
  Line line{.from = values.front().at};
  for (const TimedValue& v : values) {
    line.mean_time += Minutes(v.at - line.from).count() / static_cast<double>(values.size());
    line.mean_value += v.value / static_cast<double>(values.size());
  }
  double covariance = 0, variance = 0;
  for (const TimedValue& v : values) {
    covariance += line.minutes(v) * (v.value - line.mean_value);
    variance += line.minutes(v) * line.minutes(v);
  }
  if (variance > 0) line.per_minute = covariance / variance;
  return line;
}

// Whether a whole quarter of the values lies off the line: it went another way then. Noise lies on both sides of it.
bool is_bent(Values values, const Line& line, double distance) {
  constexpr std::size_t kParts = 4;
  for (std::size_t part = 0; part < kParts; ++part) {
    const std::size_t begin = values.size() * part / kParts, end = values.size() * (part + 1) / kParts;
    double sum = 0;
    for (const TimedValue& v : values.subspan(begin, end - begin)) sum += line.above(v);
    if (std::abs(sum) > distance * static_cast<double>(end - begin)) return true;
  }
  return false;
}

// Whether the values go up and down so much that the line says little of them: less than this share of their variance.
bool is_uneven(Values values, const Line& line, const TrendRules& rules, bool has_direction) {
  constexpr double kShare = 0.3;
  double around_mean = 0, around_line = 0;
  for (const TimedValue& v : values) {
    around_mean += (v.value - line.mean_value) * (v.value - line.mean_value);
    around_line += line.above(v) * line.above(v);
  }
  if (around_mean - around_line >= kShare * around_mean) return false;
  return has_direction || 2 * std::sqrt(around_line / static_cast<double>(values.size())) >= rules.steady;
}

// Where it turned within the values, the last of them count: what rose before and falls now will not reach a limit.
void fit(Values values, const TrendRules& rules, Trend& trend) {
  constexpr std::size_t kFewest = 10;  // that tell a bend or waves from noise
  if (values.size() < 2) return;
  Line line = line_through(values);
  while (values.size() >= 2 * kFewest && is_bent(values, line, rules.moves)) {
    values = values.last(values.size() / 2);
    line = line_through(values);
  }
  trend.per_minute = line.per_minute;
  trend.covered = values.back().at - values.front().at;
  const double change = trend.per_minute * Minutes(trend.covered).count();
  // A line through tenths of degrees that changes by one has a last bit too few now and then.
  constexpr double kLastBits = 1e-9;
  if (change >= rules.moves - kLastBits) trend.direction = TrendDirection::rising;
  if (change <= -rules.moves + kLastBits) trend.direction = TrendDirection::falling;
  trend.uneven = values.size() >= kFewest && is_uneven(values, line, rules, trend.direction != TrendDirection::stable);
  if (trend.uneven) trend.direction = TrendDirection::stable;
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

// Five in a row vote. A step is no spike: from its first value on, most agree. On a steep slope the outer of the five
// are far from the middle without being wrong, so typical steps are allowed for.
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

std::optional<Trend> trend_of(Values values, const TrendRules& rules) {
  if (values.empty()) return std::nullopt;
  const auto kept = without_spikes(values, rules.spike);
  Trend trend;
  trend.count = values.size();
  trend.spikes = values.size() - kept.size();
  trend.current = values.back().value;
  trend.min = trend.max = kept.empty() ? trend.current : kept.front().value;
  for (const TimedValue& v : kept) {
    trend.min = std::min(trend.min, v.value);
    trend.max = std::max(trend.max, v.value);
    trend.avg += v.value / static_cast<double>(kept.size());
  }
  trend.is_stable = trend.max - trend.min < rules.steady;
  fit(since_gap(kept, rules.gap), rules, trend);
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
  const TrendRules rules;
  std::optional<TimedValue> last;  // of a sensor that has fallen silent
  for (const std::string_view metric : {"temperature_celsius", "temperature_hotspot_celsius"}) {
    auto values = history.values(device, metric, from);
    if (!values || values->empty()) continue;
    if (now->at - values->back().at > rules.gap) {
      if (!last) last = values->back();
      continue;
    }
    TemperatureTrend result;
    result.trend = *trend_of(*values, rules);
    result.metric = metric;
    result.values = without_spikes(*values, rules.spike);
    const auto slowdown = history.values(device, "temperature_slowdown_celsius", from);
    result.limit = next_limit(result.trend.current, thresholds,
                              slowdown && !slowdown->empty() ? std::optional(slowdown->back().value) : std::nullopt);
    if (result.limit) result.until = time_until(result.trend, result.limit->celsius);
    return result;
  }
  const auto in_seconds = [](nanoseconds time) { return std::chrono::floor<std::chrono::seconds>(time).count(); };
  if (last) {
    return fail(Errc::not_found, fmt::format("no temperature of {} was measured for {} s: {:.1f} °C was the last",
                                             device.text, in_seconds(now->at - last->at), last->value));
  }
  return fail(Errc::not_found,
              fmt::format("no temperature of {} was measured in the last {} s", device.text, in_seconds(window)));
}

}  // namespace gpukeeper
