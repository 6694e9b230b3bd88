#include "forecast/forecast_view.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "format/columns.hpp"

namespace gpukeeper::forecast {
namespace {

using Values = std::vector<TimedValue>;

constexpr std::string_view kTemperature = "temperature_celsius";
constexpr std::string_view kHotspot = "temperature_hotspot_celsius";
constexpr std::string_view kPower = "power_watts";
constexpr std::string_view kMemory = "memory_used_bytes";
constexpr std::array kRead = {kTemperature, kHotspot, kPower, kMemory};

// What is known of one device.
class DevicePast {
 public:
  DevicePast(const History& history, const OlderHistory* older, const History::Now& now, const DeviceId& id)
      : now_(now) {
    std::optional<MonotonicTime> first;
    for (std::size_t i = 0; i < kRead.size(); ++i) {
      auto values = history.values(id, kRead.at(i), now.at - kLookBack);
      if (values) values_.at(i) = std::move(*values);
      if (!values_.at(i).empty()) first = std::min(first.value_or(MonotonicTime::max()), values_.at(i).front().at);
    }
    if (older) add_older(*older, id, first);
  }

  const Values& of(std::string_view metric) const {
    return values_.at(static_cast<std::size_t>(std::ranges::find(kRead, metric) - kRead.begin()));
  }

 private:
  // What was measured before the history in memory begins. A piece of time counts as its average at its begin.
  void add_older(const OlderHistory& older, const DeviceId& id, std::optional<MonotonicTime> known) {
    using std::chrono::duration_cast;
    const WallTime to = known ? now_.wall - duration_cast<WallTime::duration>(now_.at - *known) : now_.wall;
    const OlderHistory::Query query{.device = id,
                                    .metrics = {kRead.begin(), kRead.end()},
                                    .from = now_.wall - kLookBack,
                                    .to = to,
                                    .step = Series::kCell,
                                    .known = known};
    if (query.to <= query.from) return;
    std::array<Values, kRead.size()> found;
    const auto read = older.read(query, [&](std::size_t metric, WallTime at, const HistoryBucket& bucket) {
      found.at(metric).push_back({now_.at - duration_cast<MonotonicTime::duration>(now_.wall - at), bucket.avg});
    });
    static_cast<void>(read);  // who keeps it says why it cannot be read
    for (std::size_t i = 0; i < kRead.size(); ++i) {
      values_.at(i).insert(values_.at(i).begin(), found.at(i).begin(), found.at(i).end());
    }
  }

  const History::Now now_;
  std::array<Values, kRead.size()> values_;
};

ForecastView::MetricPart part_of(std::string_view metric, const Result<Forecast>& forecast) {
  ForecastView::MetricPart part{.metric = std::string(metric), .current = {}, .ahead = {}, .limits = {}, .reason = {}};
  if (!forecast) {
    part.reason = forecast.error().message;
    return part;
  }
  part.current = forecast->current;
  part.known = forecast->known;
  if (forecast->points.empty()) {
    part.reason = forecast->beyond;
    return part;
  }
  for (const auto ahead : kHorizons) {
    const Point* point = forecast->at(ahead);
    part.ahead.push_back({.ahead = ahead,
                          .point = point ? std::optional(*point) : std::nullopt,
                          .reason = point ? std::string() : forecast->beyond});
  }
  return part;
}

void add_limit(ForecastView::MetricPart& part, const Result<Forecast>& forecast, std::string_view name, double value) {
  const Crossing crossing = forecast ? crossing_of(*forecast, value) : Crossing();
  part.limits.push_back({.name = std::string(name), .value = value, .crossing = crossing});
}

ForecastView::MetricPart temperature(const DevicePast& past, MonotonicTime now, const DeviceSnapshot& device) {
  std::string_view metric = kTemperature;
  auto forecast = forecast_of(past.of(metric), past.of(kPower), now, temperature_rules());
  if (!forecast && past.of(metric).empty() && !past.of(kHotspot).empty()) {
    metric = kHotspot;
    forecast = forecast_of(past.of(metric), past.of(kPower), now, temperature_rules());
  }
  auto part = part_of(metric, forecast);
  add_limit(part, forecast, "throttle", device.throttling.thresholds.temp_throttle.value());
  if (const auto& slowdown = device.reading.temperature_slowdown) {
    add_limit(part, forecast, "slowdown", slowdown->value());
  }
  std::ranges::stable_sort(part.limits, {}, &ForecastView::Limit::value);
  return part;
}

// What the driver keeps for itself nobody can fill.
ForecastView::MetricPart memory(const DevicePast& past, MonotonicTime now, const DeviceSnapshot& device) {
  const Reading& r = device.reading;
  std::optional<double> room;
  if (r.memory_total) {
    room = static_cast<double>(remaining(*r.memory_total, r.memory_reserved.value_or(Bytes(0))).value());
  }
  const auto forecast = forecast_of(past.of(kMemory), {}, now, memory_rules(room));
  auto part = part_of(kMemory, forecast);
  if (room) add_limit(part, forecast, "full", *room);
  return part;
}

}  // namespace

Result<ForecastView> gather_forecasts(const History& history, const OlderHistory* older, const Snapshot& snapshot,
                                      const std::vector<std::string>& devices) {
  const auto chosen = select_devices(snapshot, devices);
  if (!chosen) return tl::make_unexpected(chosen.error());
  ForecastView view{.taken_at = snapshot.taken_at, .host = snapshot.host, .devices = {}};
  const auto now = history.now().value_or(History::Now{.at = snapshot.monotonic, .wall = snapshot.taken_at});
  for (const DeviceSnapshot& d : chosen->devices) {
    const DevicePast past(history, older, now, d.device->id);
    view.devices.push_back({.index = index_text({&d}),
                            .id = d.device->id.text,
                            .name = d.device->name,
                            .simulated = d.device->simulated,
                            .recorded = d.device->recorded,
                            .metrics = {temperature(past, now.at, d), memory(past, now.at, d)}});
  }
  return view;
}

}  // namespace gpukeeper::forecast
