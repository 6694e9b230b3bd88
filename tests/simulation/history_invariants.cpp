#include "history_invariants.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "device/metric_table.hpp"
#include "device/resolution.hpp"
#include "telemetry/trend.hpp"

namespace gpukeeper::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 4> kWatched = {"temperature_celsius", "utilization_percent", "power_watts",
                                                      "memory_used_bytes"};
constexpr std::uint64_t kWhole = 250;  // steps from one look at all of the past to the next
constexpr auto kLately = 30s;
constexpr auto kWindow = 5min;

std::optional<double> kept(std::string_view metric, const DeviceSnapshot& device) {
  const MetricRow& row = *find_metric(metric);
  const auto value = row.value(*device.device, device.reading);
  if (!value) return std::nullopt;
  if (const auto* whole = std::get_if<std::uint64_t>(&*value)) return static_cast<double>(*whole);
  return as_recorded(row.unit, std::get<double>(*value));
}

bool same(const TimedValue& a, const TimedValue& b) {
  return a.at == b.at && a.value == b.value;
}

}  // namespace

std::vector<std::string> HistoryInvariants::look(const History& history, const Snapshot& snapshot) {
  now_ = snapshot.monotonic;
  if (!begin_) begin_ = now_;
  for (const DeviceSnapshot& device : snapshot.devices) remember(snapshot, device);
  const auto metric = kWatched.at(snapshot.sequence % kWatched.size());
  const auto oldest = std::max(*begin_, now_ - span_);
  for (const auto& [id, of_device] : shown_) {
    check_values(history, id, metric, std::max(oldest, now_ - kLately));
    if (snapshot.sequence % kWhole != 0) continue;
    for (const auto each : kWatched) check_values(history, id, each, oldest);
    // Pieces that divide nothing, so that their borders fall between, on and beside the ticks.
    const auto odd = std::chrono::milliseconds(700 + snapshot.sequence % 9001);
    check_range(history, id, metric, oldest + odd, odd);
  }
  if (snapshot.sequence % 5 == 0) {
    for (const DeviceSnapshot& device : snapshot.devices) check_trend(history, device);
  }
  return std::exchange(wrong_, {});
}

// A reading counts once, however long it is shown; of a device that cannot be read there is none.
void HistoryInvariants::remember(const Snapshot& snapshot, const DeviceSnapshot& device) {
  if (!device.available) return;
  Shown& of_device = shown_[device.device->id];
  if (device.read_at && of_device.read_at == device.read_at) return;
  of_device.read_at = device.read_at;
  const MonotonicTime at(std::chrono::floor<std::chrono::milliseconds>(snapshot.monotonic.time_since_epoch()));
  for (const auto metric : kWatched) {
    if (const auto value = kept(metric, device)) of_device.values[metric].push_back({at, *value});
  }
}

std::vector<TimedValue> HistoryInvariants::shown(const DeviceId& id, std::string_view metric,
                                                 MonotonicTime from) const {
  const auto device = shown_.find(id);
  if (device == shown_.end()) return {};
  const auto values = device->second.values.find(metric);
  if (values == device->second.values.end()) return {};
  const auto first = std::ranges::lower_bound(values->second, from, {}, &TimedValue::at);
  return {first, values->second.end()};
}

void HistoryInvariants::check_values(const History& history, const DeviceId& id, std::string_view metric,
                                     MonotonicTime from) {
  const auto expected = shown(id, metric, from);
  const auto values = history.values(id, metric, from);
  if (!values) return say(id, values.error().message);
  if (std::ranges::equal(*values, expected, same)) return;
  const auto [value, should] = std::ranges::mismatch(*values, expected, same);
  say(id,
      fmt::format("{}: the history has {} values where {} were shown; the first that differs is {}, and should be {}",
                  metric, values->size(), expected.size(),
                  value == values->end() ? "missing" : fmt::format("{}", value->value),
                  should == expected.end() ? "absent" : fmt::format("{}", should->value)));
}

void HistoryInvariants::check_range(const History& history, const DeviceId& id, std::string_view metric,
                                    MonotonicTime from, std::chrono::nanoseconds step) {
  const auto to = now_ + 1ms;
  if (from >= to) return;
  const auto range = history.range(id, metric, from, to, step);
  if (!range) return say(id, range.error().message);
  const auto values = shown(id, metric, from);
  auto next = values.begin();
  for (std::size_t i = 0; i < range->buckets.size(); ++i) {
    const auto end = std::min(to, from + step * static_cast<std::int64_t>(i + 1));
    const auto last = std::find_if(next, values.end(), [&](const TimedValue& v) { return v.at >= end; });
    const auto& bucket = range->buckets[i];
    const auto count = static_cast<std::size_t>(last - next);
    if (bucket.has_value() != (count > 0)) {
      return say(id, fmt::format("{}: piece {} of {} is {} although {} values were shown in it", metric, i,
                                 range->buckets.size(), bucket ? "there" : "absent", count));
    }
    if (bucket) {
      const auto [low, high] =
          std::minmax_element(next, last, [](const TimedValue& a, const TimedValue& b) { return a.value < b.value; });
      double sum = 0;
      for (auto v = next; v != last; ++v) sum += v->value;
      const double avg = sum / static_cast<double>(count);
      if (bucket->count != count || bucket->min != low->value || bucket->max != high->value ||
          bucket->last != std::prev(last)->value || std::abs(bucket->avg - avg) > 1e-9 * std::max(1.0, std::abs(avg))) {
        return say(id, fmt::format("{}: piece {} of {} is not what was shown in it", metric, i, range->buckets.size()));
      }
    }
    next = last;
  }
  if (next != values.end()) say(id, fmt::format("{}: the last pieces are missing", metric));
}

void HistoryInvariants::check_trend(const History& history, const DeviceSnapshot& device) {
  const DeviceId& id = device.device->id;
  const auto from = now_ - std::min<std::chrono::nanoseconds>(kWindow, span_);
  const auto values = shown(id, "temperature_celsius", from);
  const auto& thresholds = device.throttling.thresholds;
  const auto found = temperature_trend(history, id, now_ - from, thresholds);
  if (found && found->metric != "temperature_celsius") return;  // of the hotspot, where there is no other
  const bool silent = values.empty() || history.now()->at - values.back().at > TrendRules().gap;
  if (found.has_value() == silent) return say(id, "a trend is there or not against what was shown");
  if (!found) return;
  const Trend& trend = found->trend;
  const auto [low, high] = std::ranges::minmax_element(values, {}, &TimedValue::value);
  const bool all = trend.spikes == 0;  // those are in no minimum or maximum
  const bool bounds = all ? trend.min == low->value && trend.max == high->value
                          : low->value <= trend.min && trend.min <= trend.max && trend.max <= high->value;
  if (trend.count != values.size() || trend.current != values.back().value || !bounds) {
    say(id, "the trend is not of the values that were shown");
  }
  const bool rises = trend.direction == TrendDirection::rising;
  if (rises && !(trend.per_minute > 0)) say(id, "a rising trend whose line does not rise");
  const bool never_rises = std::ranges::is_sorted(values, std::ranges::greater(), &TimedValue::value);
  if (rises && never_rises) say(id, "a rising trend of values that never rise");
  if (found->limit && found->limit->celsius <= trend.current) say(id, "the next limit is behind");
  if (found->limit && found->limit->name == "throttle" && found->limit->celsius != thresholds.temp_throttle.value()) {
    say(id, "the next limit is not the device's own");
  }
  if (!found->until) return;
  if (!rises || never_rises) say(id, "a time until the limit although the temperature does not rise");
  if (!found->limit) say(id, "a time until a limit that there is not");
  if (*found->until <= 0s) say(id, "a limit that lies ahead is reached in no time");
}

void HistoryInvariants::say(const DeviceId& id, std::string_view what) {
  wrong_.push_back(fmt::format("{}: {}", id.text, what));
}

}  // namespace gpukeeper::simulation
