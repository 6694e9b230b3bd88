#include "format/alerts_json.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "format/alert_object.hpp"
#include "format/bounded_json.hpp"
#include "format/columns.hpp"
#include "format/json_object.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kMostRead = 20'000;  // of anybody's document

Json silence_object(const Silence& s) {
  return {
      {"id", text_or_null(s.id)},     {"rule", s.matcher.rule},
      {"device", s.matcher.device},   {"level", s.matcher.level ? Json(to_string(*s.matcher.level)) : Json()},
      {"begun_at", rfc3339(s.begun)}, {"until", time_or_null(s.until)},
      {"by", text_or_null(s.by)},     {"comment", text_or_null(s.comment)},
  };
}

Silence silence_of(const Json& json) {
  const JsonObject o(json);
  Silence s;
  s.id = o.text("id");
  s.matcher.rule = o.text("rule");
  s.matcher.device = o.text("device");
  s.matcher.level = parse_alert_level(o.text("level"));
  s.begun = o.time("begun_at").value_or(WallTime{});
  s.until = o.time("until");
  s.by = o.text("by");
  s.comment = o.text("comment");
  return s;
}

// The objects of an array in a document of that schema.
Result<Json> document_of(std::string_view text, std::string_view schema, const char* list) {
  Json document = parse_bounded(text);
  if (!document.is_object() || JsonObject(document).text("schema") != schema || !document.contains(list) ||
      !document[list].is_array() || document[list].size() > kMostRead) {
    return fail(Errc::invalid_argument, "the daemon's answer is no document of " + std::string(schema));
  }
  return document;
}

constexpr std::string_view kSchema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "urn:gpukeeper:schema:alerts:1",
  "title": "gpukeeper alerts --json",
  "description": "What needs a person's attention. Members and rules may be added; none is removed or changes its meaning within gpukeeper.alerts/1.",
  "type": "object",
  "required": ["schema", "taken_at", "host", "lamp", "devices", "alerts"],
  "properties": {
    "schema": {"const": "gpukeeper.alerts/1"},
    "taken_at": {"$ref": "#/$defs/time"},
    "host": {"type": "string"},
    "lamp": {"$ref": "#/$defs/lamp", "description": "The worst of all devices and of the machine."},
    "devices": {
      "type": "array",
      "description": "Those that are watched, in PCI order.",
      "items": {
        "type": "object",
        "required": ["index", "uuid", "name", "simulated", "recorded", "lamp"],
        "properties": {
          "index": {"type": "integer", "minimum": 0},
          "uuid": {"type": "string", "minLength": 1},
          "name": {"type": "string"},
          "simulated": {"type": "boolean"},
          "recorded": {"type": "boolean"},
          "lamp": {"$ref": "#/$defs/lamp"}
        }
      }
    },
    "alerts": {"type": "array", "items": {"$ref": "#/$defs/alert"}, "description": "Firing ones first, then pending, then resolved; by severity, then age."}
  },
  "$defs": {
    "time": {
      "type": "string",
      "description": "RFC 3339 in UTC, with milliseconds.",
      "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$"
    },
    "time_or_null": {"oneOf": [{"$ref": "#/$defs/time"}, {"type": "null"}]},
    "lamp": {"enum": ["off", "green", "yellow", "red"]}
  }
})json";

}  // namespace

Result<AlertList> choose_alerts(const Snapshot& snapshot, const AlertQuery& query) {
  std::vector<DeviceId> chosen;
  if (!query.devices.empty()) {
    const auto selected = select_devices(snapshot, query.devices);
    if (!selected) return tl::make_unexpected(selected.error());
    for (const DeviceSnapshot& d : selected->devices) {
      chosen.push_back(d.device->id);
      for (const DeviceSnapshot& partition : d.partitions) chosen.push_back(partition.device->id);
    }
  }
  AlertList result;
  std::ranges::copy_if(*snapshot.alerts, std::back_inserter(result), [&](const Alert& a) {
    if (!query.all && a.phase != AlertPhase::firing) return false;
    return query.devices.empty() || (a.device && std::ranges::find(chosen, *a.device) != chosen.end());
  });
  return result;
}

std::string alerts_json(const AlertList& alerts, const Snapshot& snapshot, bool indented) {
  Json devices = Json::array();
  for (const DeviceSnapshot& d : snapshot.devices) {
    devices.push_back({{"index", d.index},
                       {"uuid", d.device->id.text},
                       {"name", d.device->name},
                       {"simulated", d.device->simulated},
                       {"recorded", d.device->recorded},
                       {"lamp", to_string(d.lamp)}});
  }
  Json list = Json::array();
  for (const Alert& a : alerts) list.push_back(alert_object(a));
  return dump({{"schema", "gpukeeper.alerts/1"},
               {"taken_at", rfc3339(snapshot.taken_at)},
               {"host", snapshot.host},
               {"lamp", to_string(snapshot.lamp)},
               {"devices", std::move(devices)},
               {"alerts", std::move(list)}},
              indented);
}

AlertsDocument alerts_document(const Snapshot& snapshot, AlertList alerts) {
  AlertsDocument result{.host = snapshot.host,
                        .taken_at = snapshot.taken_at,
                        .lamp = snapshot.lamp,
                        .devices = snapshot.devices.size(),
                        .alerts = std::move(alerts)};
  for (const DeviceSnapshot& d : snapshot.devices) {
    if (d.device->recorded) result.made_up[d.device->id] = "recorded";
    if (d.device->simulated) result.made_up[d.device->id] = "simulated";
  }
  return result;
}

Result<AlertsDocument> parse_alerts(std::string_view text) {
  auto document = document_of(text, "gpukeeper.alerts/1", "alerts");
  if (!document) return tl::make_unexpected(document.error());
  const JsonObject o(*document);
  AlertsDocument result{.host = o.text("host"),
                        .taken_at = o.time("taken_at").value_or(WallTime{}),
                        .lamp = word_of(kLamps, o.text("lamp"), Lamp::off)};
  for (const Json& each : document->value("devices", Json::array())) {
    ++result.devices;
    if (!each.is_object()) continue;
    const JsonObject d(each);
    if (d.flag("recorded")) result.made_up[DeviceId{d.text("uuid")}] = "recorded";
    if (d.flag("simulated")) result.made_up[DeviceId{d.text("uuid")}] = "simulated";
  }
  for (const Json& each : (*document)["alerts"]) {
    if (each.is_object()) result.alerts.push_back(alert_from(each));
  }
  return result;
}

std::string silences_json(const SilenceList& silences, bool indented) {
  Json list = Json::array();
  for (const Silence& each : silences) list.push_back(silence_object(each));
  return dump({{"schema", "gpukeeper.silences/1"}, {"silences", std::move(list)}}, indented);
}

std::string silence_json(const Silence& silence) {
  return dump(silence_object(silence), false);
}

Result<SilenceList> parse_silences(std::string_view text) {
  const auto document = document_of(text, "gpukeeper.silences/1", "silences");
  if (!document) return tl::make_unexpected(document.error());
  SilenceList result;
  for (const Json& each : (*document)["silences"]) {
    if (each.is_object()) result.push_back(silence_of(each));
  }
  return result;
}

std::string alerts_schema() {
  Json schema = Json::parse(kSchema);
  schema["$defs"]["alert"] = alert_object_schema();
  return dump(schema, true) + "\n";
}

}  // namespace gpukeeper
