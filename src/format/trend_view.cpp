#include "format/trend_view.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/rfc3339.hpp"
#include "format/bounded_json.hpp"
#include "format/columns.hpp"
#include "format/human.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

constexpr std::string_view kName = "gpukeeper.trend/1";

std::string pace_text(double per_minute, std::string_view degrees) {
  const double pace = std::abs(per_minute);
  if (pace < 0.095) return fmt::format("{:.1f} {}/h", pace * 60, degrees);
  return fmt::format("{:.1f} {}/min", pace, degrees);
}

// One value a piece of the time that they cover. A piece is never shorter than from reading to reading: that would show
// holes where there are none.
std::vector<std::optional<double>> in_pieces(std::span<const TimedValue> values) {
  std::vector<std::optional<double>> pieces;
  if (values.empty()) return pieces;
  const auto length = values.back().at - values.front().at + std::chrono::milliseconds(1);
  const auto step = std::max(length / static_cast<std::int64_t>(TrendView::kRecent) + std::chrono::nanoseconds(1),
                             pace_of(values) * 11 / 10);  // some readings come late
  for (const auto& bucket : sum_up(values, values.front().at, values.front().at + length, step).buckets) {
    pieces.push_back(bucket ? std::optional(bucket->avg) : std::nullopt);
  }
  return pieces;
}

Json rounded(double value) {
  return to_json(MetricValue(value));
}

Json part_json(const TrendView::DevicePart& part, std::chrono::minutes window) {
  Json document = {{"index", part.index},         {"uuid", part.id},           {"name", part.name},
                   {"simulated", part.simulated}, {"recorded", part.recorded}, {"duration_minutes", window.count()}};
  const auto& t = part.trend;
  const auto number = [&](double Trend::*member) { return t ? rounded(t->trend.*member) : Json(); };
  document["seconds_seen"] = t ? rounded(std::chrono::duration<double>(part.seen).count()) : Json();
  document["sample_count"] = t ? t->trend.count : 0;
  document["current_temp"] = number(&Trend::current);
  document["min_temp"] = number(&Trend::min);
  document["max_temp"] = number(&Trend::max);
  document["avg_temp"] = number(&Trend::avg);
  document["trend"] = t ? Json(to_string(t->trend.direction)) : Json();
  document["is_stable"] = t ? Json(t->trend.is_stable) : Json();
  document["uneven"] = t ? Json(t->trend.uneven) : Json();
  document["metric"] = t ? Json(t->metric) : Json();
  document["celsius_per_minute"] = number(&Trend::per_minute);
  document["spikes"] = t ? Json(t->trend.spikes) : Json();
  document["next_limit"] = t && t->limit ? Json{{"name", t->limit->name}, {"celsius", t->limit->celsius}} : Json();
  document["seconds_until_limit"] = t && t->until ? rounded(std::chrono::duration<double>(*t->until).count()) : Json();
  Json recent = Json::array();
  for (const auto& value : part.recent) recent.push_back(value ? rounded(*value) : Json());
  document["recent"] = std::move(recent);
  document["reason"] = text_or_null(part.reason);
  return document;
}

Json leak_json(const LeakSuspect& leak) {
  return {
      {"uuid", leak.device.text},
      {"index", leak.device_index},
      {"pid", leak.pid},
      {"name", leak.name},
      {"memory_bytes", leak.now.value()},
      {"grown_bytes", leak.grown.value()},
      {"bytes_per_hour", std::round(leak.bytes_per_hour)},
      {"seconds_until_full", leak.full_in ? rounded(std::chrono::duration<double>(*leak.full_in).count()) : Json()}};
}

std::optional<std::chrono::nanoseconds> parse_seconds(const Json& value) {
  if (value.is_null()) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(value.get<double>()));
}

// Names outlive the document: they are those of tables.
std::string_view known(std::string_view name, std::initializer_list<std::string_view> names) {
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? std::string_view() : *found;
}

TemperatureTrend parse_trend(const Json& each) {
  TemperatureTrend result;
  Trend& trend = result.trend;
  each.at("sample_count").get_to(trend.count);
  each.at("current_temp").get_to(trend.current);
  each.at("min_temp").get_to(trend.min);
  each.at("max_temp").get_to(trend.max);
  each.at("avg_temp").get_to(trend.avg);
  each.at("is_stable").get_to(trend.is_stable);
  trend.uneven = each.value("uneven", false);
  each.at("celsius_per_minute").get_to(trend.per_minute);
  each.at("spikes").get_to(trend.spikes);
  const auto direction = each.at("trend").get<std::string>();
  for (const auto one : {TrendDirection::rising, TrendDirection::falling}) {
    if (direction == to_string(one)) trend.direction = one;
  }
  result.metric = known(each.at("metric").get<std::string>(), {"temperature_celsius", "temperature_hotspot_celsius"});
  if (const Json& limit = each.at("next_limit"); !limit.is_null()) {
    result.limit = TrendLimit{limit.at("celsius").get<double>(),
                              known(limit.at("name").get<std::string>(), {"throttle", "slowdown"})};
    result.until = parse_seconds(each.at("seconds_until_limit"));
  }
  return result;
}

TrendView::DevicePart parse_part(const Json& each) {
  TrendView::DevicePart part;
  each.at("index").get_to(part.index);
  each.at("uuid").get_to(part.id);
  each.at("name").get_to(part.name);
  each.at("simulated").get_to(part.simulated);
  each.at("recorded").get_to(part.recorded);
  if (!each.at("reason").is_null()) each.at("reason").get_to(part.reason);
  for (const Json& value : each.at("recent")) {
    part.recent.push_back(value.is_null() ? std::nullopt : std::optional(value.get<double>()));
  }
  if (each.contains("seconds_seen")) part.seen = parse_seconds(each["seconds_seen"]).value_or(part.seen);
  if (!each.at("trend").is_null()) part.trend = parse_trend(each);
  return part;
}

LeakSuspect parse_leak(const Json& each) {
  LeakSuspect leak;
  each.at("uuid").get_to(leak.device.text);
  each.at("index").get_to(leak.device_index);
  each.at("pid").get_to(leak.pid);
  each.at("name").get_to(leak.name);
  leak.now = Bytes(each.at("memory_bytes").get<std::uint64_t>());
  leak.grown = Bytes(each.at("grown_bytes").get<std::uint64_t>());
  each.at("bytes_per_hour").get_to(leak.bytes_per_hour);
  leak.full_in = parse_seconds(each.at("seconds_until_full"));
  return leak;
}

constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "urn:gpukeeper:schema:trend:1",
  "title": "gpukeeper trend --json",
  "description": "Where every GPU's temperature is going, and which processes only grow. Members may be added; none is removed or changes its meaning within gpukeeper.trend/1.",
  "type": "object",
  "required": ["schema", "taken_at", "host", "devices", "leak_suspects"],
  "properties": {
    "schema": {"const": "gpukeeper.trend/1"},
    "taken_at": {
      "type": "string",
      "description": "Of the latest reading: RFC 3339 in UTC, with milliseconds.",
      "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$"
    },
    "host": {"type": "string"},
    "devices": {"type": "array", "items": {"$ref": "#/$defs/device"}},
    "leak_suspects": {
      "type": "array",
      "description": "Processes on these GPUs whose memory has grown steadily for ten minutes.",
      "items": {"$ref": "#/$defs/leak"}
    }
  },
  "$defs": {
    "celsius": {"type": ["number", "null"], "description": "In °C; null where nothing was measured."},
    "seconds": {"type": ["number", "null"], "minimum": 0},
    "device": {
      "type": "object",
      "required": ["index", "uuid", "name", "simulated", "recorded", "duration_minutes", "seconds_seen", "sample_count", "current_temp", "min_temp", "max_temp", "avg_temp", "trend", "is_stable", "uneven", "metric", "celsius_per_minute", "spikes", "next_limit", "seconds_until_limit", "recent", "reason"],
      "properties": {
        "index": {"type": "string"},
        "uuid": {"type": "string", "minLength": 1},
        "name": {"type": "string"},
        "simulated": {"type": "boolean"},
        "recorded": {"type": "boolean"},
        "duration_minutes": {"type": "integer", "minimum": 1, "description": "Looked back so far."},
        "seconds_seen": {"$ref": "#/$defs/seconds", "description": "From the first of these readings to the last."},
        "sample_count": {"type": "integer", "minimum": 0},
        "current_temp": {"$ref": "#/$defs/celsius"},
        "min_temp": {"$ref": "#/$defs/celsius"},
        "max_temp": {"$ref": "#/$defs/celsius"},
        "avg_temp": {"$ref": "#/$defs/celsius"},
        "trend": {"enum": ["rising", "falling", "stable", null]},
        "is_stable": {"type": ["boolean", "null"], "description": "Whether the highest is less than 5 °C above the lowest."},
        "uneven": {"type": ["boolean", "null"], "description": "Whether it only goes up and down; the trend is stable then."},
        "metric": {"type": ["string", "null"], "description": "Which temperature this is, by its name in gpukeeper metrics."},
        "celsius_per_minute": {"type": ["number", "null"]},
        "spikes": {"type": ["integer", "null"], "minimum": 0, "description": "Readings so far off that they are not counted."},
        "next_limit": {
          "description": "The next temperature at which something happens; null when it is above all that are known.",
          "oneOf": [
            {
              "type": "object",
              "required": ["name", "celsius"],
              "properties": {
                "name": {"enum": ["throttle", "slowdown"], "description": "The GPU's temp_throttle, or where the hardware slows itself down."},
                "celsius": {"type": "number"}
              }
            },
            {"type": "null"}
          ]
        },
        "seconds_until_limit": {"$ref": "#/$defs/seconds", "description": "At this pace; null when it does not rise, or not within a day."},
        "recent": {"type": "array", "items": {"$ref": "#/$defs/celsius"}, "description": "The readings, averaged in pieces of equal time; null where there was none."},
        "reason": {"type": ["string", "null"], "description": "Why there is no trend."}
      }
    },
    "leak": {
      "type": "object",
      "required": ["uuid", "index", "pid", "name", "memory_bytes", "grown_bytes", "bytes_per_hour", "seconds_until_full"],
      "properties": {
        "uuid": {"type": "string", "minLength": 1},
        "index": {"type": "integer", "minimum": 0},
        "pid": {"type": "integer", "minimum": 0},
        "name": {"type": "string"},
        "memory_bytes": {"type": "integer", "minimum": 0},
        "grown_bytes": {"type": "integer", "minimum": 0},
        "bytes_per_hour": {"type": "number"},
        "seconds_until_full": {"$ref": "#/$defs/seconds", "description": "Of the GPU's memory; null when that cannot be said."}
      }
    }
  }
})json";

}  // namespace

Result<TrendView> gather_trends(const History& history, const Snapshot& snapshot, const std::vector<LeakSuspect>& leaks,
                                const std::vector<std::string>& devices, std::chrono::minutes window) {
  const auto chosen = select_devices(snapshot, devices);
  if (!chosen) return tl::make_unexpected(chosen.error());
  TrendView view{.taken_at = snapshot.taken_at, .host = snapshot.host, .window = window, .devices = {}, .leaks = {}};
  for (const DeviceSnapshot& d : chosen->devices) {
    TrendView::DevicePart part{
        index_text({&d}), d.device->id.text, d.device->name, d.device->simulated, d.device->recorded, {}, {}, {}, {}};
    auto trend = temperature_trend(history, d.device->id, window, d.throttling.thresholds);
    if (trend) {
      part.recent = in_pieces(trend->values);
      part.seen =
          trend->values.empty() ? std::chrono::nanoseconds(0) : trend->values.back().at - trend->values.front().at;
      trend->values.clear();
      part.trend = std::move(*trend);
    } else {
      part.reason = trend.error().message;
    }
    view.devices.push_back(std::move(part));
    std::ranges::copy_if(leaks, std::back_inserter(view.leaks),
                         [&](const LeakSuspect& leak) { return leak.device == d.device->id; });
  }
  return view;
}

std::string trend_sentence(const TemperatureTrend& t, bool utf8) {
  const Trend& trend = t.trend;
  const std::string_view degrees = utf8 ? "°C" : "C";
  std::string text = fmt::format("{:.1f} {}{}, {}", trend.current, degrees,
                                 t.metric == "temperature_hotspot_celsius" ? " at the hotspot" : "",
                                 trend.uneven ? "uneven" : to_string(trend.direction));
  if (trend.direction != TrendDirection::stable) text += " " + pace_text(trend.per_minute, degrees);
  if (t.until) text += fmt::format("; at this pace {:g} {} in {}", t.limit->celsius, degrees, age_text(*t.until));
  return text;
}

std::string leak_sentence(const LeakSuspect& leak) {
  std::string text = fmt::format(
      "{} (pid {}) keeps growing on GPU {}: {} an hour, {} now", leak.name.empty() ? "a process" : leak.name, leak.pid,
      leak.device_index, size_text(static_cast<std::uint64_t>(leak.bytes_per_hour)), size_text(leak.now.value()));
  if (leak.full_in) text += fmt::format("; the GPU's memory is full in {}", age_text(*leak.full_in));
  return text;
}

std::string trend_json(const TrendView& view, bool indented) {
  Json devices = Json::array();
  for (const auto& part : view.devices) devices.push_back(part_json(part, view.window));
  Json leaks = Json::array();
  for (const LeakSuspect& leak : view.leaks) leaks.push_back(leak_json(leak));
  return dump({{"schema", kName},
               {"taken_at", rfc3339(view.taken_at)},
               {"host", view.host},
               {"devices", std::move(devices)},
               {"leak_suspects", std::move(leaks)}},
              indented);
}

std::string trend_schema() {
  return dump(Json::parse(kSchema), true) + "\n";
}

Result<TrendView> parse_trends(std::string_view text) {
  const auto other = [] {
    return fail(Errc::internal, "the daemon's trends are none that this gpukeeper understands: is it another version?");
  };
  try {
    const Json document = parse_bounded(text);
    if (document.at("schema") != kName) return other();
    TrendView view;
    view.taken_at = parse_rfc3339(document.at("taken_at").get<std::string>()).value_or(WallTime{});
    document.at("host").get_to(view.host);
    for (const Json& each : document.at("devices")) {
      view.window = std::chrono::minutes(each.at("duration_minutes").get<std::int64_t>());
      view.devices.push_back(parse_part(each));
    }
    for (const Json& each : document.at("leak_suspects")) view.leaks.push_back(parse_leak(each));
    return view;
  } catch (const nlohmann::json::exception&) {
    return other();
  }
}

}  // namespace gpukeeper
