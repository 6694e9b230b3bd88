#include "forecast/forecast.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "format/human.hpp"

namespace gpukeeper::forecast {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

// Beyond that a sensor is silent.
constexpr seconds kSilence{60};

// Between them the way is that of the next, and the interval becomes wider evenly.
constexpr std::array kAhead = {seconds(30),  seconds(60),  seconds(120),  seconds(180),  seconds(300),
                               seconds(480), seconds(900), seconds(1500), seconds(2400), seconds(3600)};

// Chosen on seeds that the evaluation does not use (benchmarks/forecast.cpp).
constexpr std::array kOfTemperature = {
    Method{Course::stays, 0, 0},        Method{Course::levels_off, 3, 30},   Method{Course::levels_off, 6, 60},
    Method{Course::levels_off, 6, 120}, Method{Course::levels_off, 12, 300}, Method{Course::straight, 30, 0},
    Method{Course::returns, 360, 600},  Method{Course::returns, 2160, 600},  Method{Course::returns, 8640, 2400},
    Method{Course::power, 1, 0},        Method{Course::power, 3, 0},         Method{Course::power, 30, 0},
    Method{Course::repeats, 0, 0}};
constexpr std::array kOfMemory = {Method{Course::stays, 0, 0},         Method{Course::straight, 12, 0},
                                  Method{Course::straight, 60, 0},     Method{Course::straight, 180, 0},
                                  Method{Course::levels_off, 60, 600}, Method{Course::returns, 360, 600},
                                  Method{Course::returns, 2160, 2400}, Method{Course::repeats, 0, 0}};

// Why nothing can be said of values that end like that; empty where something can.
std::string silent(const Series& series, MonotonicTime last, MonotonicTime now) {
  if (series.empty()) return "nothing was measured";
  if (now - last > kSilence) return fmt::format("nothing was measured for {}", age_text(now - last));
  const std::size_t unbroken = series.unbroken(series.size() - 1);
  if (unbroken > Paths::kLookBack) return {};
  const auto needed = age_text(Series::kCell * (Paths::kLookBack + 1));
  if (series.known() == unbroken) {
    return fmt::format("{} of readings are needed, and there are {}", needed, age_text(Series::kCell * unbroken));
  }
  return fmt::format("there was a gap in the readings {} ago, and {} without one are needed",
                     age_text(Series::kCell * unbroken), needed);
}

// The latest of values that can be used.
std::optional<TimedValue> last_of(std::span<const TimedValue> values, MonotonicTime now) {
  std::optional<TimedValue> last;
  for (const TimedValue& value : values) {
    if (value.at <= now && (!last || value.at >= last->at)) last = value;
  }
  return last;
}

std::string too_little(seconds ahead, nanoseconds known) {
  using std::chrono::minutes;
  ahead = *std::ranges::lower_bound(kHorizons, ahead);  // of which people are told
  const auto needed = std::chrono::ceil<minutes>(ahead * kFewestStretches + Series::kCell * Paths::kLookBack);
  if (known >= needed) {
    return fmt::format("it has not moved like this often enough to say how far off that is {} ahead", age_text(ahead));
  }
  return fmt::format("for {} ahead {} min of unbroken readings are needed, and there are {}", age_text(ahead),
                     needed.count(), std::chrono::floor<minutes>(known).count());
}

Point point_at(seconds ahead, const Path& path, const Tested& tested, const Rules& rules) {
  const auto bounded = [&](double value) {
    if (rules.least) value = std::max(value, *rules.least);
    return rules.most ? std::min(value, *rules.most) : value;
  };
  Point point{.ahead = ahead,
              .expected = bounded(path.at(static_cast<double>(ahead.count()))),
              .course = rules.methods[tested.method].course,
              .error = tested.error,
              .error_if_stays = tested.error_if_stays,
              .forecasts = tested.forecasts,
              .stretches = tested.stretches};
  point.low = bounded(point.expected - std::max(tested.below, rules.resolution));
  point.high = bounded(point.expected + std::max(tested.above, rules.resolution));
  const double highest = path.highest(static_cast<double>(ahead.count()));
  const auto peak = [&](double above) { return std::max(path.value, bounded(highest + above)); };
  point.peak_low = peak(tested.peak.low);
  point.peak = peak(tested.peak.middle);
  point.peak_high = peak(tested.peak.high);
  return point;
}

// What was tested at two times ahead, for one between them.
Tested between(const Tested& before, const Tested& after, double share) {
  Tested here = after;
  const auto set = [&](double& value, double from) { value = std::lerp(from, value, share); };
  set(here.below, before.below);
  set(here.above, before.above);
  set(here.peak.low, before.peak.low);
  set(here.peak.middle, before.peak.middle);
  set(here.peak.high, before.peak.high);
  return here;
}

// What is expected from the last point on, up to this time ahead.
void add_points(Forecast& forecast, seconds ahead, const Path& path, const Tested& before, const Tested& after,
                const Rules& rules) {
  constexpr seconds kApart{30};
  const seconds since = forecast.reach();
  for (seconds at = since + kApart; at < ahead; at += kApart) {
    const double share = static_cast<double>((at - since).count()) / static_cast<double>((ahead - since).count());
    forecast.points.push_back(point_at(at, path, between(before, after, share), rules));
  }
  forecast.points.push_back(point_at(ahead, path, after, rules));
}

// When the line through the points comes up to the limit.
std::optional<seconds> first_above(const Forecast& forecast, double limit, double Point::*end) {
  double before = forecast.current;
  seconds since{0};
  for (const Point& point : forecast.points) {
    const double value = point.*end;
    if (value >= limit) {
      const double share = value > before ? (limit - before) / (value - before) : 0;
      return since + std::chrono::round<seconds>((point.ahead - since) * std::clamp(share, 0.0, 1.0));
    }
    before = value;
    since = point.ahead;
  }
  return std::nullopt;
}

}  // namespace

Rules temperature_rules() {
  return {.methods = kOfTemperature, .moves = 1.5 / 60, .resolution = 0.5, .spike = 5, .not_below_its_lowest = true};
}

Rules memory_rules(std::optional<double> total) {
  constexpr double kMiB = 1 << 20;
  return {.methods = kOfMemory, .moves = 4 * kMiB / 60, .resolution = kMiB, .least = 0, .most = total};
}

const Point* Forecast::at(seconds ahead) const {
  const auto found = std::ranges::find(points, ahead, &Point::ahead);
  return found == points.end() ? nullptr : &*found;
}

seconds Forecast::reach() const {
  return points.empty() ? seconds(0) : points.back().ahead;
}

Result<Forecast> forecast_of(std::span<const TimedValue> values, std::span<const TimedValue> watts, MonotonicTime now,
                             const Rules& rules) {
  const auto last = last_of(values, now);
  const MonotonicTime end = last ? last->at : now;
  const Series series(values, end, Merged::middle, rules.spike);
  if (auto reason = silent(series, end, now); !reason.empty()) return fail(Errc::not_found, std::move(reason));
  const Series power(watts, end, Merged::mean);
  const Paths paths(series, power.empty() ? nullptr : &power);
  const Backtest past(paths, rules.methods, rules.moves);

  const std::size_t here = series.size() - 1;
  Rules bounds = rules;
  if (rules.not_below_its_lowest) bounds.least = series.lowest();
  Forecast forecast{.current = series.at(here), .known = Series::kCell * series.known(), .points = {}, .beyond = {}};
  if (past.unheard_of()) {
    forecast.beyond =
        "it moves as it never did in the time that is known, so that it cannot be said how far off that is";
    return forecast;
  }
  Tested before;
  for (const seconds ahead : kAhead) {
    const auto tested = past.best(ahead);
    if (!tested) {
      forecast.beyond = too_little(ahead, forecast.known);
      break;
    }
    add_points(forecast, ahead, *paths.path(rules.methods[tested->method], here), before, *tested, bounds);
    before = *tested;
  }
  return forecast;
}

std::string_view to_string(Reach reach) {
  switch (reach) {
    case Reach::reached: return "reached";
    case Reach::expected: return "expected";
    case Reach::possible: return "possible";
    case Reach::not_within: return "not_within";
    case Reach::unknown: return "unknown";
  }
  return "unknown";
}

Crossing crossing_of(const Forecast& forecast, double limit) {
  Crossing crossing{.within = forecast.reach(), .earliest = {}, .expected = {}, .latest = {}};
  if (forecast.current >= limit) {
    crossing.reach = Reach::reached;
    return crossing;
  }
  if (forecast.points.empty()) return crossing;
  crossing.earliest = first_above(forecast, limit, &Point::peak_high);
  crossing.expected = first_above(forecast, limit, &Point::peak);
  crossing.latest = first_above(forecast, limit, &Point::peak_low);
  crossing.reach = crossing.expected ? Reach::expected : crossing.earliest ? Reach::possible : Reach::not_within;
  return crossing;
}

}  // namespace gpukeeper::forecast
