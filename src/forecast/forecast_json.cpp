#include "forecast/forecast_json.hpp"

#include "format/bounded_json.hpp"
#include "format/json_object.hpp"

namespace gpukeeper::forecast {
namespace {

using std::chrono::seconds;

constexpr std::string_view kName = "gpukeeper.forecast/1";
// What somebody else's document says beyond that is as if it were not there.
constexpr std::int64_t kLongest = 10LL * 366 * 86400;  // seconds
constexpr double kMost = 1e18;

Json rounded(double value) {
  return to_json(MetricValue(value));
}

Json seconds_or_null(const std::optional<seconds>& time) {
  return time ? Json(time->count()) : Json();
}

// Bytes are whole; their fractions say nothing.
double whole_bytes(double value, bool bytes) {
  return bytes ? std::round(value) : value;
}

Json ahead_json(const ForecastView::Ahead& ahead, bool bytes) {
  const auto& p = ahead.point;
  const auto number = [&](double Point::*member) { return p ? rounded(whole_bytes((*p).*member, bytes)) : Json(); };
  return {{"seconds", ahead.ahead.count()},
          {"expected", number(&Point::expected)},
          {"low", number(&Point::low)},
          {"high", number(&Point::high)},
          {"course", p ? Json(to_string(p->course)) : Json()},
          {"error", number(&Point::error)},
          {"error_if_it_stays", number(&Point::error_if_stays)},
          {"past_forecasts", p ? p->forecasts : 0},
          {"past_stretches", p ? p->stretches : 0},
          {"reason", text_or_null(ahead.reason)}};
}

Json limit_json(const ForecastView::Limit& limit) {
  const Crossing& c = limit.crossing;
  return {{"name", limit.name},
          {"value", rounded(limit.value)},
          {"reach", to_string(c.reach)},
          {"within_seconds", c.within.count()},
          {"earliest_seconds", seconds_or_null(c.earliest)},
          {"expected_seconds", seconds_or_null(c.expected)},
          {"latest_seconds", seconds_or_null(c.latest)}};
}

Json metric_json(const ForecastView::MetricPart& part) {
  const MetricRow* row = find_metric(part.metric);
  const bool bytes = row && row->unit == "bytes";
  Json ahead = Json::array(), limits = Json::array();
  for (const auto& each : part.ahead) ahead.push_back(ahead_json(each, bytes));
  for (const auto& limit : part.limits) limits.push_back(limit_json(limit));
  return {{"metric", part.metric},
          {"unit", row ? text_or_null(std::string(row->unit)) : Json()},
          {"current", part.current ? rounded(whole_bytes(*part.current, bytes)) : Json()},
          {"known_seconds", std::chrono::duration_cast<seconds>(part.known).count()},
          {"horizons", std::move(ahead)},
          {"limits", std::move(limits)},
          {"reason", text_or_null(part.reason)}};
}

std::optional<seconds> time_of(const JsonObject& object, std::string_view name) {
  const auto count = object.integer(name);
  return count && *count >= 0 && *count <= kLongest ? std::optional(seconds(*count)) : std::nullopt;
}

// Bytes and degrees are far from it.
std::optional<double> value_of(const JsonObject& object, std::string_view name) {
  const auto value = object.number(name);
  return value && std::abs(*value) <= kMost ? value : std::nullopt;
}

ForecastView::Ahead parse_ahead(const Json& each) {
  const JsonObject object(each);
  ForecastView::Ahead ahead{
      .ahead = time_of(object, "seconds").value_or(seconds(0)), .point = {}, .reason = object.text("reason")};
  const auto expected = value_of(object, "expected"), low = value_of(object, "low"), high = value_of(object, "high");
  if (!expected || !low || !high) return ahead;
  ahead.point = Point{.ahead = ahead.ahead,
                      .expected = *expected,
                      .low = *low,
                      .high = *high,
                      .course = word_of(kCourses, object.text("course"), Course::stays),
                      .error = value_of(object, "error").value_or(0),
                      .error_if_stays = value_of(object, "error_if_it_stays").value_or(0),
                      .forecasts = object.whole("past_forecasts").value_or(0),
                      .stretches = object.whole("past_stretches").value_or(0)};
  return ahead;
}

ForecastView::Limit parse_limit(const Json& each) {
  const JsonObject object(each);
  Crossing crossing{.reach = word_of(kReaches, object.text("reach"), Reach::unknown),
                    .within = time_of(object, "within_seconds").value_or(seconds(0)),
                    .earliest = time_of(object, "earliest_seconds"),
                    .expected = time_of(object, "expected_seconds"),
                    .latest = time_of(object, "latest_seconds")};
  const bool whole = crossing.reach == Reach::expected   ? crossing.expected.has_value()
                     : crossing.reach == Reach::possible ? crossing.earliest.has_value()
                                                         : true;
  if (!whole) crossing.reach = Reach::unknown;
  return {.name = object.text("name"), .value = value_of(object, "value").value_or(0), .crossing = crossing};
}

ForecastView::MetricPart parse_metric(const Json& each) {
  const JsonObject object(each);
  ForecastView::MetricPart part{.metric = object.text("metric"),
                                .current = value_of(object, "current"),
                                .known = time_of(object, "known_seconds").value_or(seconds(0)),
                                .ahead = {},
                                .limits = {},
                                .reason = object.text("reason")};
  for (const Json& ahead : object.list("horizons")) part.ahead.push_back(parse_ahead(ahead));
  for (const Json& limit : object.list("limits")) part.limits.push_back(parse_limit(limit));
  return part;
}

constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "urn:gpukeeper:schema:forecast:1",
  "title": "gpukeeper forecast --json",
  "description": "What every GPU's temperature and memory will be, how far off such forecasts were in its own past, and when limits are reached. Members may be added; none is removed or changes its meaning within gpukeeper.forecast/1.",
  "type": "object",
  "required": ["schema", "taken_at", "host", "stated_share", "devices"],
  "properties": {
    "schema": {"const": "gpukeeper.forecast/1"},
    "taken_at": {
      "type": "string",
      "description": "Of the latest reading: RFC 3339 in UTC, with milliseconds.",
      "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$"
    },
    "host": {"type": "string"},
    "stated_share": {"type": "number", "description": "Of the outcomes that an interval is to hold: 0.8."},
    "devices": {"type": "array", "items": {"$ref": "#/$defs/device"}}
  },
  "$defs": {
    "value": {"type": ["number", "null"], "description": "In the metric's unit; null where there is no forecast."},
    "seconds": {"type": ["integer", "null"], "minimum": 0},
    "device": {
      "type": "object",
      "required": ["index", "uuid", "name", "simulated", "recorded", "metrics"],
      "properties": {
        "index": {"type": "string"},
        "uuid": {"type": "string", "minLength": 1},
        "name": {"type": "string"},
        "simulated": {"type": "boolean"},
        "recorded": {"type": "boolean"},
        "metrics": {"type": "array", "description": "Temperature and memory.", "items": {"$ref": "#/$defs/metric"}}
      }
    },
    "metric": {
      "type": "object",
      "required": ["metric", "unit", "current", "known_seconds", "horizons", "limits", "reason"],
      "properties": {
        "metric": {"type": "string", "description": "Its name in gpukeeper metrics."},
        "unit": {"type": ["string", "null"]},
        "current": {"$ref": "#/$defs/value", "description": "The middle of the last ten seconds."},
        "known_seconds": {"type": "integer", "minimum": 0, "description": "Of the last day, how much the forecast stands on."},
        "horizons": {"type": "array", "items": {"$ref": "#/$defs/horizon"}, "description": "Empty where there is no forecast."},
        "limits": {"type": "array", "items": {"$ref": "#/$defs/limit"}},
        "reason": {"type": ["string", "null"], "description": "Why there is no forecast at all."}
      }
    },
    "horizon": {
      "type": "object",
      "required": ["seconds", "expected", "low", "high", "course", "error", "error_if_it_stays", "past_forecasts", "past_stretches", "reason"],
      "properties": {
        "seconds": {"type": "integer", "minimum": 1, "description": "Ahead."},
        "expected": {"$ref": "#/$defs/value"},
        "low": {"$ref": "#/$defs/value", "description": "The interval's lower end."},
        "high": {"$ref": "#/$defs/value", "description": "The interval's upper end."},
        "course": {
          "enum": ["stays", "levels_off", "straight", "returns", "power", "repeats", null],
          "description": "The method that was best at this in the device's own past: it stays as it is, goes on ever slower, goes straight on, returns to its average, goes to where its power leads, does as one period before."
        },
        "error": {"$ref": "#/$defs/value", "description": "How far off that was on average, in the device's own past."},
        "error_if_it_stays": {"$ref": "#/$defs/value", "description": "How far off it would have been to say that it stays as it is."},
        "past_forecasts": {"type": "integer", "minimum": 0, "description": "Made of the past to measure this."},
        "past_stretches": {"type": "integer", "minimum": 0, "description": "How many of these do not overlap in time."},
        "reason": {"type": ["string", "null"], "description": "Why there is no forecast so far ahead."}
      }
    },
    "limit": {
      "type": "object",
      "required": ["name", "value", "reach", "within_seconds", "earliest_seconds", "expected_seconds", "latest_seconds"],
      "properties": {
        "name": {"enum": ["throttle", "slowdown", "full"], "description": "The GPU's temp_throttle; where the hardware slows itself down; all of its memory."},
        "value": {"type": "number"},
        "reach": {
          "enum": ["reached", "expected", "possible", "not_within", "unknown"],
          "description": "It is there; gets there within within_seconds in half of the cases or more; in one of ten or more; in fewer; nothing can be said."
        },
        "within_seconds": {"type": "integer", "minimum": 0, "description": "How far ahead the forecast reaches."},
        "earliest_seconds": {"$ref": "#/$defs/seconds", "description": "In one of ten cases it is there by then."},
        "expected_seconds": {"$ref": "#/$defs/seconds", "description": "In half of them."},
        "latest_seconds": {"$ref": "#/$defs/seconds", "description": "In nine of ten; null when not within within_seconds."}
      }
    }
  }
})json";

}  // namespace

std::string forecast_json(const ForecastView& view, bool indented) {
  Json devices = Json::array();
  for (const auto& device : view.devices) {
    Json metrics = Json::array();
    for (const auto& part : device.metrics) metrics.push_back(metric_json(part));
    devices.push_back({{"index", device.index},
                       {"uuid", device.id},
                       {"name", device.name},
                       {"simulated", device.simulated},
                       {"recorded", device.recorded},
                       {"metrics", std::move(metrics)}});
  }
  return dump({{"schema", kName},
               {"taken_at", rfc3339(view.taken_at)},
               {"host", view.host},
               {"stated_share", kStated},
               {"devices", std::move(devices)}},
              indented);
}

std::string forecast_schema() {
  return dump(Json::parse(kSchema), true) + "\n";
}

Result<ForecastView> parse_forecasts(std::string_view json) {
  const Json document = parse_bounded(json);
  const JsonObject object(document);
  if (object.text("schema") != kName) {
    return fail(Errc::internal,
                "the daemon's forecasts are none that this gpukeeper understands: is it another version?");
  }
  ForecastView view{
      .taken_at = object.time("taken_at").value_or(WallTime{}), .host = object.text("host"), .devices = {}};
  for (const Json& each : object.list("devices")) {
    const JsonObject device(each);
    auto& part = view.devices.emplace_back();
    part.index = device.text("index");
    part.id = device.text("uuid");
    part.name = device.text("name");
    part.simulated = device.flag("simulated");
    part.recorded = device.flag("recorded");
    for (const Json& metric : device.list("metrics")) part.metrics.push_back(parse_metric(metric));
  }
  return view;
}

}  // namespace gpukeeper::forecast
