#include "config/documented_environment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.hpp"
#include "postgres/database_url.hpp"

namespace gpukeeper::config {
namespace {

struct Row {
  std::string_view variable;
  std::string_view key;
};

constexpr Row kRows[] = {
    {"GPU_MONITORING", "source"},
    {"API_RATE_LIMIT", "http.requests_per_minute"},
    {"DATA_RETENTION_DAYS", "database.keep"},
    {"DATA_RETENTION_DAYS", "history.store.keep"},
    {"ENABLE_PROCESS_MONITORING", "process_monitoring"},
    {"ALLOWED_IPS", "http.allow"},
};

// The documented thresholds, all of them percent or °C, and the rules whose first border they are.
constexpr Row kThresholds[] = {
    {"CPU_ALERT_THRESHOLD", "host_cpu"},
    {"GPU_ALERT_THRESHOLD", "utilization_high"},
    {"MEMORY_ALERT_THRESHOLD", "memory_pressure"},
    {"TEMPERATURE_ALERT_THRESHOLD", "thermal"},
};

struct Unheeded {
  std::string_view variable;
  std::string_view instead;
};

// Which somebody who sets them relies on; SECRET_KEY and FLASK_ENV belong to other programs, too.
constexpr Unheeded kUnheeded[] = {
    {"ENABLE_AUTH", "who may do what is said by roles and tokens (docs/security.md)"},
    {"AUTH_USERNAME", "there are no passwords: 'gpukeeper token create' makes tokens (docs/security.md)"},
    {"AUTH_PASSWORD", "there are no passwords: 'gpukeeper token create' makes tokens (docs/security.md)"},
    {"DASHBOARD_PORT", "the page is served where all is: listen"},
    {"DASHBOARD_REFRESH_INTERVAL", "the page is told what is new as it happens: sample_interval"},
};

// Whose GPUs, as the documented value has it: the source that reads them.
std::string source_of(std::string_view value) {
  if (value == "nvidia") return "nvml";
  return std::string(value == "amd" ? "sysfs" : value);
}

using Said = std::function<std::string(std::string_view)>;

// alerts.rules, of those thresholds that are set.
std::optional<DocumentedSetting> thresholds(const Said& said) {
  std::vector<std::string> variables;
  std::vector<std::string> rules;
  for (const Row& row : kThresholds) {
    const std::string text = said(row.variable);
    if (text.empty()) continue;
    variables.emplace_back(row.variable);
    rules.push_back(fmt::format("{{rule: {}, warning: {}}}", row.key, text));
  }
  if (rules.empty()) return std::nullopt;
  return DocumentedSetting{fmt::format("{}", fmt::join(variables, ", ")), "alerts.rules",
                           fmt::format("[{}]", fmt::join(rules, ", "))};
}

// "60/min" is 60.
std::string value_of(std::string_view variable, std::string_view value) {
  if (variable == "GPU_MONITORING") return source_of(value);
  if (variable == "DATA_RETENTION_DAYS") return std::string(value) + "d";
  constexpr std::string_view kPerMinute = "/min";
  if (variable == "API_RATE_LIMIT" && value.ends_with(kPerMinute)) value.remove_suffix(kPerMinute.size());
  return std::string(value);
}

// The database of readings: DATABASE_URL, where it is of PostgreSQL; else POSTGRES_HOST and what goes with it.
std::optional<DocumentedSetting> database(const Said& said) {
  const std::string url = postgres::without_driver(said("DATABASE_URL"));
  if (!url.empty()) {
    if (!url.starts_with("postgres")) return std::nullopt;  // another program's file of SQLite, say
    return DocumentedSetting{"DATABASE_URL", "database.url", url};
  }
  const std::string host = said("POSTGRES_HOST");
  if (host.empty()) return std::nullopt;  // without it the others configure a server of PostgreSQL
  return DocumentedSetting{"POSTGRES_HOST", "database.url",
                           postgres::make_database_url({.host = host,
                                                        .port = said("POSTGRES_PORT"),
                                                        .name = said("POSTGRES_DB"),
                                                        .user = said("POSTGRES_USER"),
                                                        .password = said("POSTGRES_PASSWORD")})};
}

}  // namespace

std::vector<DocumentedSetting> documented_settings(
    const std::function<std::optional<std::string>(std::string_view)>& environment) {
  const auto said = [&](std::string_view variable) {
    const auto text = environment(variable);
    return text ? std::string(trim(*text)) : std::string();
  };
  std::vector<DocumentedSetting> result;
  for (const Row& row : kRows) {
    const std::string text = said(row.variable);
    if (text.empty()) continue;
    result.push_back({std::string(row.variable), std::string(row.key), value_of(row.variable, text)});
  }
  if (auto setting = thresholds(said)) result.push_back(std::move(*setting));
  if (auto setting = database(said)) result.push_back(std::move(*setting));
  const std::string host = said("HOST");
  const std::string port = said("PORT");
  if (!host.empty() && !port.empty()) result.push_back({"HOST, PORT", "listen", host + ":" + port});
  return result;
}

std::vector<std::string> unheeded_variables(
    const std::function<std::optional<std::string>(std::string_view)>& environment) {
  std::vector<std::string> result;
  for (const Unheeded& each : kUnheeded) {
    if (trim(environment(each.variable).value_or("")).empty()) continue;
    result.push_back(fmt::format("{} has no effect here: {}", each.variable, each.instead));
  }
  return result;
}

}  // namespace gpukeeper::config
