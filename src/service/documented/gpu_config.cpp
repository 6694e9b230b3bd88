#include "service/documented/gpu_config.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "service/documented/words.hpp"
#include "service/parameters.hpp"

namespace gpukeeper::service::documented {
namespace {

constexpr std::array<std::string_view, 13> kKeys = {
    "temp_optimal",          "temp_normal",      "temp_throttle",   "temp_critical",
    "memory_optimal",        "memory_normal",    "memory_critical", "memory_limit_mb",
    "memory_reserve_mb",     "monitor_interval", "history_size",    "throttle_cooldown_seconds",
    "critical_pause_seconds"};

constexpr std::string_view kNotUpdated = "Failed to update configuration";
constexpr std::size_t kMostUnknown = 8;  // that the log names

bool is_known(std::string_view key) {
  return std::ranges::find(kKeys, key) != kKeys.end();
}

// Out of what GET /api/v1/config answers.
Json config_object(const Hands& hands) {
  Json result = Json::object();
  const Response report = hands.configuration();
  const Json document = report.body ? Json::parse(*report.body, nullptr, false) : Json();
  if (!document.is_object() || !document.contains("keys")) return result;
  for (const Json& row : document["keys"]) {
    const auto key = row.value("key", "");
    if (is_known(key)) result[key] = row["value"];
  }
  return result;
}

// What Python takes for false: there is nothing in it.
bool says_nothing(const Json& body) {
  return body.is_null() || body == false || body == 0 || body.empty() || body == "";
}

// The sentences of an error in one line.
std::string in_one_line(std::string_view message) {
  std::string text;
  for (const std::string_view line : lines(message)) {
    if (!text.empty()) text += text.ends_with(':') ? " " : "; ";
    text += trim(line);
  }
  return text;
}

Response refused(std::string_view why) {
  return failed(400, fmt::format("{}: {}", kNotUpdated, why));
}

Response not_updated(const Error& error) {
  if (error.code == Errc::invalid_argument) return refused(in_one_line(error.message));
  return failed(500, fmt::format("{}: {}", kNotUpdated, in_one_line(error.message)));
}

void say_unknown(const std::vector<std::string>& unknown, const Hands& hands) {
  if (unknown.empty()) return;
  std::vector<std::string> named;
  for (const std::string& key : unknown) {
    if (named.size() < kMostUnknown) named.push_back(fit(harmless(key), 60));
  }
  if (unknown.size() > named.size()) named.push_back(fmt::format("{} more", unknown.size() - named.size()));
  hands.warn(fmt::format("PUT /api/gpu/config: unknown keys are ignored: {}", fmt::join(named, ", ")));
}

Response put(const Request& request, const std::shared_ptr<const Hands>& hands) {
  const auto body = body_of(request);
  if (!body) return body.error();
  if (says_nothing(*body)) return failed(400, "No configuration data provided");
  if (!body->is_object()) return refused(R"(it takes a JSON object of keys and values, such as {"temp_throttle": 80})");
  Json wanted = Json::object();
  std::vector<std::string> unknown;
  for (const auto& [key, value] : body->items()) {
    if (!is_known(key)) {
      unknown.push_back(key);
    } else if (value.is_number() || value.is_string()) {
      wanted[key] = value;
    } else {
      return refused(fmt::format("{} takes a number", key));
    }
  }
  say_unknown(unknown, *hands);
  const auto updated = [hands] { return done("Configuration updated", config_object(*hands)); };
  if (wanted.empty()) return updated();
  return hands->set_configuration(
      wanted.dump(-1, ' ', true, Json::error_handler_t::replace),
      [updated](const Result<std::string>& changed) { return changed ? updated() : not_updated(changed.error()); });
}

}  // namespace

std::vector<Route> gpu_config_routes(const std::shared_ptr<const Hands>& hands) {
  return {
      described({"GET", "/api/gpu/config", "The 13 keys of the GPU manager's configuration.",
                 [hands](const Request&) { return succeeded(config_object(*hands)); }},
                {.tag = kGpuManager, .gives = "documented.gpu_config"}),
      described({"PUT", "/api/gpu/config", R"(Sets some of them: {"temp_throttle": 80}.)",
                 [hands](const Request& request) { return put(request, hands); }, false, false, auth::Role::admin},
                {.tag = kGpuManager, .takes = "documented.gpu_config_patch", .gives = "documented.gpu_config_set"}),
  };
}

}  // namespace gpukeeper::service::documented
