#include "sinks/payloads.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/rfc3339.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

bool is_over(const AlertNotice& notice) {
  return notice.kind == AlertNotice::Kind::resolved;
}

struct Fact {
  std::string_view name;
  std::string value;
};

// What a person wants to know beside the headline, what is absent left out.
std::vector<Fact> facts(const AlertNotice& notice) {
  std::vector<Fact> result = {{"Where", fmt::format("{} on {}", where(notice.alert), notice.host)},
                              {"Rule", notice.alert.rule},
                              {"Since", rfc3339(notice.alert.since)}};
  if (notice.alert.resolved_at) result.push_back({"Until", rfc3339(*notice.alert.resolved_at)});
  if (!is_over(notice) && !notice.alert.remedy.empty()) result.push_back({"What to do", notice.alert.remedy});
  if (!notice.alert.link.empty()) result.push_back({"More", notice.alert.link});
  for (const auto& [name, value] : notice.labels) result.push_back({name, value});
  return result;
}

// The three characters by which Slack tells its own marks from text.
std::string for_slack(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      default: result += c;
    }
  }
  return result;
}

// Red, yellow, blue, green.
std::uint32_t colour(const AlertNotice& notice) {
  if (is_over(notice)) return 0x2eb67d;
  switch (notice.alert.level) {
    case AlertLevel::critical: return 0xd00000;
    case AlertLevel::warning: return 0xe8a723;
    case AlertLevel::info: return 0x3b82f6;
  }
  return 0xd00000;
}

bool is_link(std::string_view text) {
  return (text.starts_with("https://") || text.starts_with("http://")) && text.size() <= 1000 &&
         std::ranges::none_of(text, [](char c) { return c <= ' ' || c > '~' || c == '"' || c == '<' || c == '>'; });
}

void set_text(Json& object, std::string_view name, std::string_view value) {
  if (!value.empty()) object[std::string(name)] = cut(value, 1000);
}

Json alertmanager_alert(const AlertNotice& notice, AlertLevel level, WallTime ends) {
  const Alert& alert = notice.alert;
  Json json;
  Json& labels = json["labels"] = Json::object();
  set_text(labels, "alertname", alert.rule);
  set_text(labels, "severity", to_string(level));
  set_text(labels, "host", notice.host);
  if (alert.device_index) set_text(labels, "gpu", fmt::format("{}", *alert.device_index));
  if (alert.device) set_text(labels, "device", alert.device->text);
  set_text(labels, "subject", alert.subject);
  set_text(labels, "origin", notice.origin);
  for (const auto& [name, value] : notice.labels) set_text(labels, name, value);
  Json& annotations = json["annotations"] = Json::object();
  set_text(annotations, "summary", notice.origin.empty() ? alert.message : notice.origin + ": " + alert.message);
  set_text(annotations, "remedy", alert.remedy);
  if (alert.value) set_text(annotations, "value", to_json(MetricValue(*alert.value)).dump());
  if (alert.threshold) set_text(annotations, "threshold", to_json(MetricValue(*alert.threshold)).dump());
  if (is_link(alert.link)) json["generatorURL"] = alert.link;
  const WallTime starts = alert.fired_at.value_or(alert.since);
  json["startsAt"] = rfc3339(std::min(starts, ends));
  json["endsAt"] = rfc3339(ends);
  return json;
}

}  // namespace

std::string cut(std::string_view text, std::size_t most) {
  static constexpr std::string_view kMore = "…";
  std::string result = harmless(text);
  if (result.size() <= most) return result;
  std::size_t end = most - std::min(most, kMore.size());
  while (end > 0 && (static_cast<unsigned char>(result[end]) & 0xc0) == 0x80) --end;  // not within a character
  result.resize(end);
  if (most >= kMore.size()) result += kMore;
  return result;
}

std::string short_name(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a of 64 bits
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

std::string slack_payload(const AlertNotice& notice) {
  Json json;
  json["text"] = for_slack(cut(headline(notice), 1000));
  json["mrkdwn"] = false;
  Json attachment;
  attachment["color"] = fmt::format("#{:06x}", colour(notice));
  attachment["fallback"] = json["text"];
  attachment["mrkdwn_in"] = Json::array();
  attachment["fields"] = Json::array();
  for (const Fact& fact : facts(notice)) {
    const std::string value = for_slack(cut(fact.value, 1000));
    attachment["fields"].push_back({{"title", fact.name}, {"value", value}, {"short", value.size() < 40}});
  }
  attachment["ts"] = std::chrono::duration_cast<std::chrono::seconds>(notice.at.time_since_epoch()).count();
  json["attachments"] = Json::array({attachment});
  return dump(json, false);
}

std::string discord_payload(const AlertNotice& notice) {
  // A title has at most 256 characters, a field 1024, of which there are 25; all of it 6000.
  static constexpr std::size_t kMostFields = 25;
  static constexpr std::size_t kMostOfFields = 4500;
  Json embed;
  embed["title"] = cut(headline(notice), 256);
  embed["color"] = colour(notice);
  embed["timestamp"] = rfc3339(notice.at);
  embed["fields"] = Json::array();
  std::size_t size = 0;
  for (const Fact& fact : facts(notice)) {
    const std::string name = cut(fact.name, 256);
    const std::string value = cut(fact.value, 900);
    size += name.size() + value.size();
    if (value.empty() || size > kMostOfFields || embed["fields"].size() == kMostFields) continue;
    embed["fields"].push_back({{"name", name}, {"value", value}, {"inline", value.size() < 40}});
  }
  Json json;
  json["username"] = "gpukeeper";
  json["allowed_mentions"] = {{"parse", Json::array()}};
  json["embeds"] = Json::array({embed});
  return dump(json, false);
}

std::string dedup_key(const AlertNotice& notice) {
  static constexpr std::size_t kMost = 255;
  std::string key = fmt::format("gpukeeper/{}/{}/{}", notice.host, notice.alert.rule, notice.alert.id);
  if (key.size() > kMost || harmless(key) != key) key = "gpukeeper/" + short_name(key);
  return key;
}

std::string pagerduty_payload(const AlertNotice& notice, std::string_view routing_key) {
  const Alert& alert = notice.alert;
  Json json;
  json["routing_key"] = routing_key;
  json["event_action"] = is_over(notice) ? "resolve" : "trigger";
  json["dedup_key"] = dedup_key(notice);
  if (is_over(notice)) return dump(json, false);
  json["client"] = "gpukeeper";
  Json& payload = json["payload"];
  payload["summary"] = cut(headline(notice), 1024);
  payload["source"] = cut(notice.host.empty() ? "gpukeeper" : notice.host, 255);
  payload["severity"] = to_string(alert.level);  // of critical, error, warning and info
  payload["timestamp"] = rfc3339(alert.fired_at.value_or(alert.since));
  payload["component"] = cut(where(alert), 255);
  payload["class"] = cut(alert.rule, 255);
  Json& details = payload["custom_details"] = Json::object();
  set_text(details, "remedy", alert.remedy);
  set_text(details, "subject", alert.subject);
  set_text(details, "origin", notice.origin);
  if (alert.value) details["value"] = to_json(MetricValue(*alert.value));
  if (alert.threshold) details["threshold"] = to_json(MetricValue(*alert.threshold));
  for (const auto& [name, value] : notice.labels) set_text(details, name, value);
  if (is_link(alert.link)) json["links"] = Json::array({{{"href", alert.link}, {"text", "documentation"}}});
  return dump(json, false);
}

std::string alertmanager_payload(std::span<const AlertNotice> notices, WallTime now, std::chrono::seconds keeps) {
  Json json = Json::array();
  for (const AlertNotice& notice : notices) {
    if (notice.kind == AlertNotice::Kind::escalated) {
      json.push_back(alertmanager_alert(notice, AlertLevel::warning, now));
    }
    const WallTime ends = is_over(notice) ? std::min(now, notice.alert.resolved_at.value_or(now)) : now + keeps;
    json.push_back(alertmanager_alert(notice, notice.alert.level, ends));
    if (!is_over(notice)) continue;
    // Whatever level it had before: one that was never told is over without anybody hearing of it.
    for (const auto level : {AlertLevel::warning, AlertLevel::critical}) {
      if (level != notice.alert.level) json.push_back(alertmanager_alert(notice, level, ends));
    }
  }
  return dump(json, false);
}

}  // namespace gpukeeper
