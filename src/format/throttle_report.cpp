#include "format/throttle_report.hpp"

#include <utility>

#include <fmt/format.h>

#include "core/rfc3339.hpp"
#include "format/bounded_json.hpp"
#include "format/columns.hpp"
#include "format/json_text.hpp"
#include "telemetry/overall.hpp"

namespace gpukeeper {
namespace {

using Request = ThrottleReport::Request;

constexpr std::string_view kName = "gpukeeper.throttle/1";

Json request_json(const Request& request) {
  return {{"cause", request.cause},
          {"speed_multiplier", request.speed},
          {"reason", request.reason},
          {"since", rfc3339(request.since)},
          {"until", request.until ? Json(rfc3339(*request.until)) : Json()}};
}

Json device_json(const ThrottleReport::Device& device) {
  Json requests = Json::array();
  for (const Request& request : device.requests) requests.push_back(request_json(request));
  return {{"index", device.index},
          {"uuid", device.uuid},
          {"name", device.name},
          {"simulated", device.simulated},
          {"recorded", device.recorded},
          {"available", device.available},
          {"reason", text_or_null(device.reason)},
          {"state", device.state},
          {"state_since", rfc3339(device.state_since)},
          {"speed_multiplier", device.speed},
          {"should_throttle", device.speed <= 0.5},
          {"requests", std::move(requests)}};
}

Json change_json(const ThrottleReport::Change& change) {
  return {{"uuid", change.uuid},
          {"kind", change.kind},
          {"place", change.place},
          {"found", text_or_null(change.found)},
          {"set", text_or_null(change.set)},
          {"effective", text_or_null(change.effective)},
          {"reason", text_or_null(change.reason)},
          {"since", change.since ? Json(rfc3339(*change.since)) : Json()},
          {"problem", text_or_null(change.problem)}};
}

// What a document of ours holds and that of somebody else may lack: at() and get() throw then.
WallTime time_at(const Json& object, const char* key) {
  const auto time = parse_rfc3339(object.at(key).get<std::string>());
  if (!time) throw std::runtime_error(fmt::format("{} is no date", key));
  return *time;
}

std::string text_at(const Json& object, const char* key) {
  const Json& value = object.at(key);
  return value.is_null() ? std::string() : value.get<std::string>();
}

Request request_of(const Json& json) {
  Request request{.cause = text_at(json, "cause"),
                  .speed = json.at("speed_multiplier").get<double>(),
                  .reason = text_at(json, "reason"),
                  .since = time_at(json, "since"),
                  .until = std::nullopt};
  if (!json.at("until").is_null()) request.until = time_at(json, "until");
  return request;
}

ThrottleReport::Device device_of(const Json& json) {
  ThrottleReport::Device device{.index = text_at(json, "index"),
                                .uuid = text_at(json, "uuid"),
                                .name = text_at(json, "name"),
                                .simulated = json.at("simulated").get<bool>(),
                                .recorded = json.at("recorded").get<bool>(),
                                .available = json.at("available").get<bool>(),
                                .reason = text_at(json, "reason"),
                                .state = text_at(json, "state"),
                                .state_since = time_at(json, "state_since"),
                                .speed = json.at("speed_multiplier").get<double>(),
                                .requests = {}};
  for (const Json& request : json.at("requests")) device.requests.push_back(request_of(request));
  return device;
}

ThrottleReport::Change change_of(const Json& json) {
  ThrottleReport::Change change{.uuid = text_at(json, "uuid"),
                                .kind = text_at(json, "kind"),
                                .place = text_at(json, "place"),
                                .found = text_at(json, "found"),
                                .set = text_at(json, "set"),
                                .effective = text_at(json, "effective"),
                                .reason = text_at(json, "reason"),
                                .since = std::nullopt,
                                .problem = text_at(json, "problem")};
  if (!json.at("since").is_null()) change.since = time_at(json, "since");
  return change;
}

constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "urn:gpukeeper:schema:throttle:1",
  "title": "gpukeeper throttle --json",
  "description": "How fast work may go on every GPU, and why. Members may be added; none is removed or changes its meaning within gpukeeper.throttle/1.",
  "type": "object",
  "required": ["schema", "taken_at", "host", "speed_multiplier", "should_throttle", "devices"],
  "properties": {
    "schema": {"const": "gpukeeper.throttle/1"},
    "taken_at": {"$ref": "#/$defs/time"},
    "host": {"type": "string"},
    "speed_multiplier": {"$ref": "#/$defs/speed", "description": "For work on all GPUs at once: that of the slowest."},
    "should_throttle": {"type": "boolean", "description": "Whether that is half the speed or less."},
    "devices": {"type": "array", "items": {"$ref": "#/$defs/device"}},
    "changes": {
      "type": "array",
      "description": "What a running daemon has changed of the GPUs itself, and what it could not; empty from a command that asks none.",
      "items": {
        "type": "object",
        "required": ["uuid", "kind", "place", "found", "set", "effective", "reason", "since", "problem"],
        "properties": {
          "uuid": {"type": "string", "minLength": 1, "description": "The device; it may have gone."},
          "kind": {"enum": ["power_limit", "locked_clocks", "fan", "freeze"]},
          "place": {"type": "string", "description": "nvml, a file of the kernel's, or what stands still."},
          "found": {"type": ["string", "null"], "description": "What is given back, for people: 700 W; null when nothing is held."},
          "set": {"type": ["string", "null"]},
          "effective": {"type": ["string", "null"], "description": "What is so in truth, as the driver told last; null when it does not tell."},
          "reason": {"type": ["string", "null"]},
          "since": {"oneOf": [{"$ref": "#/$defs/time"}, {"type": "null"}]},
          "problem": {"type": ["string", "null"], "description": "Why it is not as it should be: what was refused last."}
        }
      }
    }
  },
  "$defs": {
    "time": {
      "type": "string",
      "description": "RFC 3339 in UTC, with milliseconds.",
      "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$"
    },
    "speed": {"type": "number", "minimum": 0, "maximum": 1, "description": "What work multiplies its pace by: 1, 0.8, 0.5 or 0."},
    "device": {
      "type": "object",
      "required": ["index", "uuid", "name", "simulated", "recorded", "available", "reason", "state", "state_since", "speed_multiplier", "should_throttle", "requests"],
      "properties": {
        "index": {"type": "string", "description": "0, or 0:1 for a partition."},
        "uuid": {"type": "string", "minLength": 1},
        "name": {"type": "string"},
        "simulated": {"type": "boolean"},
        "recorded": {"type": "boolean"},
        "available": {"type": "boolean", "description": "Whether it can be looked at; one that cannot has full speed."},
        "reason": {"type": ["string", "null"], "description": "Why it cannot, or why its reading is old."},
        "state": {"enum": ["optimal", "normal", "throttled", "critical", "unavailable"]},
        "state_since": {"$ref": "#/$defs/time"},
        "speed_multiplier": {"$ref": "#/$defs/speed"},
        "should_throttle": {"type": "boolean"},
        "requests": {
          "type": "array",
          "description": "All that ask for less than full speed, the strictest, which decides, first.",
          "items": {
            "type": "object",
            "required": ["cause", "speed_multiplier", "reason", "since", "until"],
            "properties": {
              "cause": {"enum": ["thermal", "power", "memory", "load", "operator", "foreign_application", "missing_sensor"]},
              "speed_multiplier": {"$ref": "#/$defs/speed"},
              "reason": {"type": "string"},
              "since": {"$ref": "#/$defs/time"},
              "until": {"oneOf": [{"$ref": "#/$defs/time"}, {"type": "null"}], "description": "When it ends or eases unless something happens; null: with its cause."}
            }
          }
        }
      }
    }
  }
})json";

}  // namespace

ThrottleReport throttle_report(const Snapshot& snapshot) {
  ThrottleReport report{.taken_at = snapshot.taken_at,
                        .host = snapshot.host,
                        .speed = overall_speed(snapshot),
                        .devices = {},
                        .changes = {}};
  for (const DeviceSnapshot& d : snapshot.devices) {
    auto& device =
        report.devices.emplace_back(ThrottleReport::Device{.index = index_text({&d}),
                                                           .uuid = d.device->id.text,
                                                           .name = d.device->partition.value_or(d.device->name),
                                                           .simulated = d.device->simulated,
                                                           .recorded = d.device->recorded,
                                                           .available = d.available,
                                                           .reason = d.reason,
                                                           .state = std::string(to_string(d.throttling.state)),
                                                           .state_since = d.throttling.state_since,
                                                           .speed = d.throttling.speed_multiplier,
                                                           .requests = {}});
    for (const ThrottleRequest& r : d.throttling.requests) {
      Request request{.cause = std::string(to_string(r.cause)),
                      .speed = r.multiplier,
                      .reason = r.reason,
                      .since = r.since,
                      .until = std::nullopt};
      if (r.until) {
        request.until =
            snapshot.taken_at + std::chrono::duration_cast<WallTime::duration>(*r.until - snapshot.monotonic);
      }
      device.requests.push_back(std::move(request));
    }
  }
  return report;
}

std::string throttle_report_json(const ThrottleReport& report, bool indented) {
  Json devices = Json::array();
  for (const auto& device : report.devices) devices.push_back(device_json(device));
  Json changes = Json::array();
  for (const auto& change : report.changes) changes.push_back(change_json(change));
  return dump({{"schema", kName},
               {"taken_at", rfc3339(report.taken_at)},
               {"host", report.host},
               {"speed_multiplier", report.speed},
               {"should_throttle", report.should_throttle()},
               {"devices", std::move(devices)},
               {"changes", std::move(changes)}},
              indented);
}

std::string throttle_report_schema() {
  return dump(Json::parse(kSchema), true) + "\n";
}

Result<ThrottleReport> parse_throttle_report(std::string_view json) {
  try {
    const Json document = parse_bounded(json);
    if (document.at("schema") != kName) throw std::runtime_error("it is of another schema");
    ThrottleReport report{.taken_at = time_at(document, "taken_at"),
                          .host = text_at(document, "host"),
                          .speed = document.at("speed_multiplier").get<double>(),
                          .devices = {},
                          .changes = {}};
    for (const Json& device : document.at("devices")) report.devices.push_back(device_of(device));
    for (const Json& change : document.value("changes", Json::array())) report.changes.push_back(change_of(change));
    return report;
  } catch (const std::exception& error) {
    return fail(Errc::internal, fmt::format("that is no answer to how fast work may go: {}", error.what()));
  }
}

}  // namespace gpukeeper
