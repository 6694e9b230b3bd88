#include "gpukeeper/past.hpp"

#include <fmt/format.h>

#include "format/json_object.hpp"

namespace gpukeeper {
inline namespace v0 {
namespace {

// The objects of an array; none where there is no array.
template <class T>
std::vector<T> each(const Json* array, auto read) {
  std::vector<T> result;
  if (!array || !array->is_array()) return result;
  for (const Json& element : *array) {
    if (element.is_object()) result.push_back(read(JsonObject(element)));
  }
  return result;
}

HistoryBucket bucket_of(const JsonObject& o) {
  return {.begins = parse_rfc3339(o.text("time")).value_or(WallTime{}),
          .count = o.whole("count").value_or(0),
          .min = o.number("min"),
          .average = o.number("avg"),
          .max = o.number("max"),
          .last = o.number("last")};
}

std::vector<History> histories_of(const JsonObject& device) {
  return each<History>(device.find("metrics"), [&](const JsonObject& metric) {
    return History{.device = device.text("index"),
                   .name = device.text("name"),
                   .metric = metric.text("metric"),
                   .unit = metric.text("unit"),
                   .buckets = each<HistoryBucket>(metric.find("buckets"), bucket_of)};
  });
}

Trend trend_of(const JsonObject& o) {
  const Json* stable = o.find("is_stable");
  return {.device = o.text("index"),
          .name = o.text("name"),
          .sample_count = o.whole("sample_count").value_or(0),
          .current_celsius = o.number("current_temp"),
          .min_celsius = o.number("min_temp"),
          .max_celsius = o.number("max_temp"),
          .average_celsius = o.number("avg_temp"),
          .direction = o.text("trend"),
          .is_stable = stable && stable->is_boolean() ? std::optional(stable->get<bool>()) : std::nullopt,
          .celsius_per_minute = o.number("celsius_per_minute"),
          .seconds_until_limit = o.number("seconds_until_limit"),
          .reason = o.text("reason")};
}

// Whether the document is of that schema; else `mistake` says so.
bool is(const Json& document, std::string_view schema, std::string* mistake) {
  if (document.is_object() && JsonObject(document).text("schema") == schema) return true;
  if (mistake) *mistake = fmt::format("is no document of the schema {}", schema);
  return false;
}

}  // namespace

std::optional<std::vector<History>> read_histories(std::string_view json, std::string* mistake) {
  const Json document = Json::parse(json, nullptr, false);
  if (!is(document, "gpukeeper.history/1", mistake)) return std::nullopt;
  std::vector<History> result;
  for (auto& of_device : each<std::vector<History>>(JsonObject(document).find("devices"), histories_of)) {
    for (History& history : of_device) result.push_back(std::move(history));
  }
  return result;
}

std::optional<std::vector<Trend>> read_trends(std::string_view json, std::string* mistake) {
  const Json document = Json::parse(json, nullptr, false);
  if (!is(document, "gpukeeper.trend/1", mistake)) return std::nullopt;
  return each<Trend>(JsonObject(document).find("devices"), trend_of);
}

}  // namespace v0
}  // namespace gpukeeper
