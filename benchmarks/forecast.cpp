#include "forecast.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "figures.hpp"
#include "forecast/forecast.hpp"
#include "telemetry/trend.hpp"
#include "workday.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;
using forecast::kHorizons;

constexpr std::uint64_t kSeeds = 16;
constexpr std::uint64_t kTuned = 1;      // the first of those that methods and margins were chosen on
constexpr std::uint64_t kOthers = 4001;  // the first of those that nothing was chosen on
constexpr auto kLength = 30h;
constexpr auto kFirst = 5h;  // of what is known when the first forecast is made
constexpr auto kEvery = 17min;
constexpr double kGiB = 1024.0 * 1024 * 1024;

struct Sum {
  double ours = 0, stays = 0, line = 0, width = 0;
  std::size_t held = 0, count = 0, refused = 0;

  void add(const Sum& more) {
    ours += more.ours;
    stays += more.stays;
    line += more.line;
    width += more.width;
    held += more.held;
    count += more.count;
    refused += more.refused;
  }
};

using Sums = std::array<Sum, kHorizons.size()>;
struct Scores {
  Sums all, moving;  // moving: of forecasts that are made while the value moves
};

std::span<const TimedValue> between(const std::vector<TimedValue>& values, MonotonicTime from, MonotonicTime to) {
  const auto begin = std::ranges::lower_bound(values, from, {}, &TimedValue::at);
  const auto end = std::ranges::upper_bound(values, to, {}, &TimedValue::at);
  return {begin, end};
}

double middle_of(std::span<const TimedValue> values) {
  std::vector<double> sorted;
  for (const TimedValue& value : values) sorted.push_back(value.value);
  std::ranges::sort(sorted);
  return sorted[sorted.size() / 2];
}

// By the line through the last five minutes, as `gpukeeper trend` has it.
double straight_on(std::span<const TimedValue> values, double current, std::chrono::seconds ahead, bool bytes) {
  const double scale = bytes ? 1024.0 * 1024 * 64 : 1;
  const auto trend = trend_of(values, {.moves = scale, .steady = 5 * scale, .spike = 1e18});
  if (!trend || trend->direction == TrendDirection::stable) return current;
  return current + trend->per_minute * static_cast<double>(ahead.count()) / 60;
}

void look(const std::vector<TimedValue>& values, const std::vector<TimedValue>& watts, const forecast::Rules& rules,
          MonotonicTime now, Scores& scores) {
  const auto known = between(values, now - 24h, now);
  const auto forecast = forecast::forecast_of(known, between(watts, now - 24h, now), now, rules);
  const double current = middle_of(between(values, now - 9s, now));
  const bool moving = std::abs(current - middle_of(between(values, now - 129s, now - 120s))) >= rules.moves * 120;
  for (std::size_t i = 0; i < kHorizons.size(); ++i) {
    const auto ahead = kHorizons.at(i);
    const auto* point = forecast ? forecast->at(ahead) : nullptr;
    Sum sum{.refused = 1};
    if (point) {
      const double came = middle_of(between(values, now + ahead - 9s, now + ahead));
      const double line = straight_on(between(values, now - 5min, now), current, ahead, rules.least.has_value());
      sum = {.ours = std::abs(came - point->expected),
             .stays = std::abs(came - current),
             .line = std::abs(came - (rules.most ? std::clamp(line, 0.0, *rules.most) : line)),
             .width = point->high - point->low,
             .held = came >= point->low && came <= point->high ? 1U : 0U,
             .count = 1,
             .refused = 0};
    }
    scores.all.at(i).add(sum);
    if (moving) scores.moving.at(i).add(sum);
  }
}

// What came of what was said of a limit within the next hour.
struct Limits {
  struct Said {
    std::size_t times = 0, came = 0;
  };
  std::map<forecast::Reach, Said> said;
  std::size_t between = 0;  // earliest and latest, of those that were expected and came
  double minutes_off = 0;   // these, added up
};

// When the temperature was there, in cells of ten seconds; nothing: not within an hour.
std::optional<std::chrono::seconds> came_up_to(const std::vector<TimedValue>& values, MonotonicTime now, double limit) {
  const forecast::Series series(between(values, now + 1s, now + 1h), now + 1h, forecast::Merged::middle);
  for (std::size_t cell = 0; cell < series.size(); ++cell) {
    if (series.at(cell) >= limit) return (static_cast<long>(cell) + 1) * forecast::Series::kCell;
  }
  return std::nullopt;
}

void look_at_limit(const Workday& day, MonotonicTime now, double limit, Limits& limits) {
  const auto forecast = forecast::forecast_of(between(day.celsius, now - 24h, now), between(day.watts, now - 24h, now),
                                              now, forecast::temperature_rules());
  if (!forecast || forecast->reach() < 1h) return;
  const auto crossing = forecast::crossing_of(*forecast, limit);
  const auto came = came_up_to(day.celsius, now, limit);
  auto& said = limits.said[crossing.reach];
  ++said.times;
  if (!came) return;
  ++said.came;
  if (crossing.reach != forecast::Reach::expected) return;
  if (*came + 30s >= *crossing.earliest && *came <= crossing.latest.value_or(1h) + 30s) ++limits.between;
  limits.minutes_off += std::abs(static_cast<double>((*came - *crossing.expected).count())) / 60;
}

void print_limits(std::string_view what, const Limits& limits) {
  fmt::print("  a limit {}, within an hour:\n", what);
  for (const auto& [reach, said] : limits.said) {
    if (reach == forecast::Reach::reached) continue;
    fmt::print("    said {:<12} {:>5} times; it came in {:.1f} %\n", forecast::to_string(reach), said.times,
               100.0 * static_cast<double>(said.came) / static_cast<double>(said.times));
    if (reach != forecast::Reach::expected || said.came == 0) continue;
    const auto came = static_cast<double>(said.came);
    fmt::print("      of these between the earliest and the latest time: {:.1f} %, {:.1f} min off on average\n",
               100.0 * static_cast<double>(limits.between) / came, limits.minutes_off / came);
  }
}

void print(std::string_view what, const Sums& sums, double unit, std::string_view name) {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const Sum& sum = sums.at(i);
    const auto count = static_cast<double>(std::max<std::size_t>(sum.count, 1)) * unit;
    fmt::print("  {:<12} {:>3} min {:8.2f} {:8.2f} {:8.2f} {:>4}  {:5.1f} %  {:8.2f} {:>6} {:>7}\n", what,
               kHorizons.at(i).count() / 60, sum.ours / count, sum.stays / count, sum.line / count, name,
               100.0 * static_cast<double>(sum.held) / (count / unit), sum.width / count, sum.count, sum.refused);
  }
}

void evaluate(std::string_view what, std::uint64_t first) {
  Scores celsius, bytes;
  std::array<Limits, 2> limits;
  for (std::uint64_t seed = first; seed < first + kSeeds; ++seed) {
    const Workday day = simulate_workday(seed, kLength, 2s);
    const MonotonicTime begin = day.celsius.front().at;
    const auto [coldest, hottest] = std::ranges::minmax(day.celsius, {}, &TimedValue::value);
    for (auto t = std::chrono::seconds(kFirst); t + 1h < kLength; t += kEvery) {
      look(day.celsius, day.watts, forecast::temperature_rules(), begin + t, celsius);
      look(day.bytes, {}, forecast::memory_rules(day.memory), begin + t, bytes);
      look_at_limit(day, begin + t, coldest.value + 0.5 * (hottest.value - coldest.value), limits.at(0));
      look_at_limit(day, begin + t, coldest.value + 0.9 * (hottest.value - coldest.value), limits.at(1));
    }
  }
  heading(fmt::format("Forecasts on {} simulated GPUs, {}: mean absolute error, and how often the interval held",
                      kSeeds, what));
  fmt::print("  {:<12} {:>7} {:>8} {:>8} {:>8} {:>4}  {:>7}  {:>8} {:>6} {:>7}\n", "", "ahead", "forecast", "stays",
             "line", "", "of 80 %", "width", "made", "refused");
  print("temperature", celsius.all, 1, "°C");
  print("  as it moves", celsius.moving, 1, "°C");
  print("memory", bytes.all, kGiB, "GiB");
  print("  as it moves", bytes.moving, kGiB, "GiB");
  print_limits("half the way from the coldest to the hottest", limits.at(0));
  print_limits("nine tenths of the way", limits.at(1));
}

void cost() {
  const Workday day = simulate_workday(1, 24h, 1s);
  const MonotonicTime now = day.celsius.back().at;
  constexpr int kTimes = 20;
  const auto begin = cpu_time();
  for (int i = 0; i < kTimes; ++i) {
    if (!forecast::forecast_of(day.celsius, day.watts, now, forecast::temperature_rules())) return;
  }
  figure("a forecast of a temperature, from a day of readings a second apart",
         milliseconds((cpu_time() - begin) / kTimes), "ms");
}

}  // namespace

void forecast() {
  evaluate("seeds that it was tuned on", kTuned);
  evaluate("other seeds", kOthers);
  cost();
}

}  // namespace gpukeeper::bench
