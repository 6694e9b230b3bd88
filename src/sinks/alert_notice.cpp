#include "sinks/alert_notice.hpp"

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

Json time_or_null(const std::optional<WallTime>& time) {
  return time ? Json(rfc3339(*time)) : Json();
}

// Members of a document that may be damaged: what is absent or of another type is taken for absent.
std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<double> number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::optional<WallTime> time_of(const Json& json, const char* name) {
  return parse_rfc3339(text_of(json, name));
}

Json alert_json(const Alert& alert) {
  Json json;
  json["id"] = alert.id;
  json["rule"] = alert.rule;
  json["level"] = to_string(alert.level);
  json["severity"] = alert.severity;
  json["gpu"] = or_null(alert.device_index);
  json["device"] = alert.device ? Json(alert.device->text) : Json();
  json["subject"] = text_or_null(alert.subject);
  json["message"] = alert.message;
  json["remedy"] = text_or_null(alert.remedy);
  json["link"] = text_or_null(alert.link);
  json["value"] = alert.value ? to_json(MetricValue(*alert.value)) : Json();
  json["threshold"] = alert.threshold ? to_json(MetricValue(*alert.threshold)) : Json();
  json["since"] = rfc3339(alert.since);
  json["fired_at"] = time_or_null(alert.fired_at);
  json["resolved_at"] = time_or_null(alert.resolved_at);
  return json;
}

std::optional<Alert> parse_alert(const Json& json) {
  const auto level = parse_alert_level(text_of(json, "level"));
  const auto since = time_of(json, "since");
  Alert alert;
  alert.id = text_of(json, "id");
  alert.rule = text_of(json, "rule");
  if (!level || !since || alert.id.empty() || alert.rule.empty()) return std::nullopt;
  alert.level = *level;
  alert.since = *since;
  const double severity = number_of(json, "severity").value_or(0);
  if (severity >= 0 && severity <= 100) alert.severity = static_cast<int>(severity);
  const double index = number_of(json, "gpu").value_or(-1);
  if (index >= 0 && index < 1e9) alert.device_index = static_cast<std::uint32_t>(index);
  if (const std::string device = text_of(json, "device"); !device.empty()) alert.device = DeviceId{device};
  alert.subject = text_of(json, "subject");
  alert.message = text_of(json, "message");
  alert.remedy = text_of(json, "remedy");
  alert.link = text_of(json, "link");
  alert.value = number_of(json, "value");
  alert.threshold = number_of(json, "threshold");
  alert.fired_at = time_of(json, "fired_at");
  alert.resolved_at = time_of(json, "resolved_at");
  alert.phase = alert.resolved_at ? AlertPhase::resolved : AlertPhase::firing;
  return alert;
}

std::optional<AlertNotice> notice_from(const Json& json) {
  const auto alert_part = json.find("alert");
  if (alert_part == json.end() || !alert_part->is_object()) return std::nullopt;
  auto alert = parse_alert(*alert_part);
  const auto kind = parse_notice_kind(text_of(json, "event"));
  const auto at = time_of(json, "at");
  if (!alert || !kind || !at) return std::nullopt;
  AlertNotice notice{.kind = *kind,
                     .at = *at,
                     .alert = std::move(*alert),
                     .host = text_of(json, "host"),
                     .origin = text_of(json, "origin")};
  if (const auto labels = json.find("labels"); labels != json.end() && labels->is_object()) {
    for (const auto& [name, value] : labels->items()) {
      if (value.is_string()) notice.labels.emplace_back(name, value.get<std::string>());
    }
  }
  return notice;
}

}  // namespace

std::string_view to_string(AlertNotice::Kind kind) {
  switch (kind) {
    case AlertNotice::Kind::fired: return "fired";
    case AlertNotice::Kind::escalated: return "escalated";
    case AlertNotice::Kind::repeated: return "repeated";
    case AlertNotice::Kind::resolved: return "resolved";
    case AlertNotice::Kind::test: return "test";
  }
  return "fired";
}

std::optional<AlertNotice::Kind> parse_notice_kind(std::string_view word) {
  using enum AlertNotice::Kind;
  for (const auto kind : {fired, escalated, repeated, resolved, test}) {
    if (word == to_string(kind)) return kind;
  }
  return std::nullopt;
}

std::string where(const Alert& alert) {
  if (!alert.device) return "this machine";
  const std::string id = fit(harmless(alert.device->text), 100);
  return alert.device_index ? fmt::format("GPU {} ({})", *alert.device_index, id) : id;
}

std::string headline(const AlertNotice& notice, std::size_t limit) {
  const bool plain = notice.kind == AlertNotice::Kind::fired || notice.kind == AlertNotice::Kind::escalated;
  const std::string word = plain ? std::string(to_string(notice.alert.level))
                           : notice.kind == AlertNotice::Kind::repeated
                               ? fmt::format("still {}", to_string(notice.alert.level))
                               : std::string(to_string(notice.kind));
  const std::string line =
      fmt::format("[{}] {}{}", word, notice.origin.empty() ? "" : notice.origin + ": ", harmless(notice.alert.message));
  return fit(line, limit);
}

std::string notice_json(const AlertNotice& notice) {
  Json json;
  json["event"] = to_string(notice.kind);
  json["at"] = rfc3339(notice.at);
  json["host"] = notice.host;
  json["origin"] = text_or_null(notice.origin);
  json["alert"] = alert_json(notice.alert);
  json["labels"] = Json::object();
  for (const auto& [name, value] : notice.labels) json["labels"][name] = value;
  return dump(json, false);
}

std::optional<AlertNotice> parse_notice(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  return json.is_object() ? notice_from(json) : std::nullopt;
}

}  // namespace gpukeeper
