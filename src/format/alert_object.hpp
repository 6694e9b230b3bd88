#pragma once

#include <algorithm>

#include "core/rfc3339.hpp"
#include "format/json_object.hpp"
#include "format/json_text.hpp"
#include "telemetry/alert.hpp"

// Included by source files only: the library is heavy.

namespace gpukeeper {

inline Json time_or_null(const std::optional<WallTime>& time) {
  return time ? Json(rfc3339(*time)) : Json();
}

/// An alert as it stands in every document: docs/schema/alerts.json describes it.
inline Json alert_object(const Alert& a) {
  return {
      {"id", a.id},
      {"rule", a.rule},
      {"uuid", a.device ? Json(a.device->text) : Json()},
      {"index", or_null(a.device_index)},
      {"subject", text_or_null(a.subject)},
      {"level", to_string(a.level)},
      {"severity", a.severity},
      {"phase", to_string(a.phase)},
      {"value", a.value ? to_json(MetricValue(*a.value)) : Json()},
      {"threshold", a.threshold ? to_json(MetricValue(*a.threshold)) : Json()},
      {"message", a.message},
      {"remedy", text_or_null(a.remedy)},
      {"link", text_or_null(a.link)},
      {"since", rfc3339(a.since)},
      {"fired_at", time_or_null(a.fired_at)},
      {"resolved_at", time_or_null(a.resolved_at)},
      {"unknown_since", time_or_null(a.unknown_since)},
      {"acknowledged_by", text_or_null(a.acknowledged_by)},
      {"acknowledged_until", time_or_null(a.acknowledged_until)},
      {"comment", text_or_null(a.comment)},
      {"silenced", a.silenced},
      {"silenced_until", time_or_null(a.silenced_until)},
  };
}

inline constexpr Lamp kLamps[] = {Lamp::off, Lamp::green, Lamp::yellow, Lamp::red};
inline constexpr AlertPhase kAlertPhases[] = {AlertPhase::pending, AlertPhase::firing, AlertPhase::resolved};

/// Reads such an object; what is absent or of another type is as if it were null.
inline Alert alert_from(const Json& json) {
  const JsonObject o(json);
  Alert a;
  a.id = o.text("id");
  a.rule = o.text("rule");
  if (auto uuid = o.text_or_nothing("uuid")) a.device = DeviceId{std::move(*uuid)};
  a.device_index = o.small("index");
  a.subject = o.text("subject");
  a.level = parse_alert_level(o.text("level")).value_or(AlertLevel::warning);
  a.severity = static_cast<int>(std::min<std::uint64_t>(o.whole("severity").value_or(0), 100));
  a.phase = word_of(kAlertPhases, o.text("phase"), AlertPhase::resolved);
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

/// Its JSON Schema.
inline Json alert_object_schema() {
  return Json::parse(R"json({
    "type": "object",
    "description": "Something that needs a person's attention, from the first moment of its condition to its end.",
    "required": ["id", "rule", "uuid", "index", "subject", "level", "severity", "phase", "value", "threshold", "message", "remedy", "link", "since", "fired_at", "resolved_at", "unknown_since", "acknowledged_by", "acknowledged_until", "comment", "silenced", "silenced_until"],
    "properties": {
      "id": {"type": "string", "minLength": 1, "description": "The same as long as it lasts."},
      "rule": {"type": "string", "minLength": 1, "description": "gpukeeper alerts rules lists them."},
      "uuid": {"type": ["string", "null"], "description": "Of the device; null: the machine as a whole."},
      "index": {"type": ["integer", "null"], "minimum": 0},
      "subject": {"type": ["string", "null"], "description": "What tells two alerts of a rule on a device apart: a pid, an XID."},
      "level": {"enum": ["info", "warning", "critical"]},
      "severity": {"type": "integer", "minimum": 0, "maximum": 100},
      "phase": {"enum": ["pending", "firing", "resolved"]},
      "value": {"type": ["number", "null"], "description": "In the unit of the rule."},
      "threshold": {"type": ["number", "null"], "description": "The border that it crossed."},
      "message": {"type": "string", "minLength": 1},
      "remedy": {"type": ["string", "null"], "description": "What a person can do."},
      "link": {"type": ["string", "null"], "description": "Documentation."},
      "since": {"$ref": "#/$defs/time", "description": "When its condition began to hold."},
      "fired_at": {"$ref": "#/$defs/time_or_null"},
      "resolved_at": {"$ref": "#/$defs/time_or_null"},
      "unknown_since": {"$ref": "#/$defs/time_or_null", "description": "Since when nobody can tell whether it lasts."},
      "acknowledged_by": {"type": ["string", "null"]},
      "acknowledged_until": {"$ref": "#/$defs/time_or_null", "description": "Null beside acknowledged_by: as long as it lasts."},
      "comment": {"type": ["string", "null"], "description": "Of who acknowledged it."},
      "silenced": {"type": "boolean", "description": "It is not told and colours no lamp."},
      "silenced_until": {"$ref": "#/$defs/time_or_null", "description": "Null beside silenced: as long as the configuration says so."}
    }
  })json");
}

}  // namespace gpukeeper
