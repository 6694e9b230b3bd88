#include "format/alerts_json.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "format/alert_object.hpp"
#include "format/columns.hpp"

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

// Members that are missing or of another type are as if they were null.
class Object {
 public:
  explicit Object(const Json& json) : json_(json) {}

  std::string text(const char* name) const {
    const auto* member = find(name);
    return member && member->is_string() ? member->get<std::string>() : std::string();
  }
  std::optional<std::string> text_or_nothing(const char* name) const {
    const auto* member = find(name);
    return member && member->is_string() ? std::optional(member->get<std::string>()) : std::nullopt;
  }
  std::optional<double> number(const char* name) const {
    const auto* member = find(name);
    return member && member->is_number() ? std::optional(member->get<double>()) : std::nullopt;
  }
  std::optional<std::uint64_t> whole(const char* name) const {
    const auto* member = find(name);
    return member && member->is_number_unsigned() ? std::optional(member->get<std::uint64_t>()) : std::nullopt;
  }
  bool flag(const char* name) const {
    const auto* member = find(name);
    return member && member->is_boolean() && member->get<bool>();
  }
  std::optional<WallTime> time(const char* name) const {
    const auto value = text_or_nothing(name);
    if (!value) return std::nullopt;
    const auto parsed = parse_rfc3339(*value);
    return parsed ? std::optional<WallTime>(*parsed) : std::nullopt;
  }

 private:
  const Json* find(const char* name) const {
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  const Json& json_;
};

AlertPhase phase_of(std::string_view word) {
  for (const auto phase : {AlertPhase::pending, AlertPhase::firing}) {
    if (word == to_string(phase)) return phase;
  }
  return AlertPhase::resolved;
}

Lamp lamp_of(std::string_view word) {
  for (const auto lamp : {Lamp::green, Lamp::yellow, Lamp::red}) {
    if (word == to_string(lamp)) return lamp;
  }
  return Lamp::off;
}

Alert alert_of(const Json& json) {
  const Object o(json);
  Alert a;
  a.id = o.text("id");
  a.rule = o.text("rule");
  if (auto uuid = o.text_or_nothing("uuid")) a.device = DeviceId{std::move(*uuid)};
  if (const auto index = o.whole("index")) a.device_index = static_cast<std::uint32_t>(*index);
  a.subject = o.text("subject");
  a.level = parse_alert_level(o.text("level")).value_or(AlertLevel::warning);
  a.severity = static_cast<int>(std::min<std::uint64_t>(o.whole("severity").value_or(0), 100));
  a.phase = phase_of(o.text("phase"));
  a.value = o.number("value");
  a.threshold = o.number("threshold");
  a.message = o.text("message");
  a.remedy = o.text("remedy");
  a.link = o.text("link");
  a.since = o.time("since").value_or(WallTime{});
  a.fired_at = o.time("fired_at");
  a.resolved_at = o.time("resolved_at");
  a.unknown_since = o.time("unknown_since");
  a.acknowledged_by = o.text("acknowledged_by");
  a.acknowledged_until = o.time("acknowledged_until");
  a.comment = o.text("comment");
  a.silenced = o.flag("silenced");
  a.silenced_until = o.time("silenced_until");
  return a;
}

Silence silence_of(const Json& json) {
  const Object o(json);
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
  Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.is_object() || Object(document).text("schema") != schema ||
      !document.contains(list) || !document[list].is_array() || document[list].size() > kMostRead) {
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
  const Object o(*document);
  AlertsDocument result{
      .host = o.text("host"), .taken_at = o.time("taken_at").value_or(WallTime{}), .lamp = lamp_of(o.text("lamp"))};
  for (const Json& each : document->value("devices", Json::array())) {
    ++result.devices;
    if (!each.is_object()) continue;
    const Object d(each);
    if (d.flag("recorded")) result.made_up[DeviceId{d.text("uuid")}] = "recorded";
    if (d.flag("simulated")) result.made_up[DeviceId{d.text("uuid")}] = "simulated";
  }
  for (const Json& each : (*document)["alerts"]) {
    if (each.is_object()) result.alerts.push_back(alert_of(each));
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
