#include "push/otlp_body.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/text.hpp"

namespace gpukeeper::push {
namespace {

using Json = nlohmann::json;

constexpr int kCumulative = 2;  // AGGREGATION_TEMPORALITY_CUMULATIVE

// What the end of a name says of the unit, in UCUM's words.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kUnits = {{{"_bytes_per_second", "By/s"},
                                                                                  {"_bytes", "By"},
                                                                                  {"_seconds", "s"},
                                                                                  {"_celsius", "Cel"},
                                                                                  {"_watts", "W"},
                                                                                  {"_joules", "J"},
                                                                                  {"_hertz", "Hz"},
                                                                                  {"_ratio", "1"}}};

std::string_view unit_of(std::string_view name) {
  constexpr std::string_view kTotal = "_total";
  if (name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
  for (const auto& [ending, unit] : kUnits) {
    if (name.ends_with(ending)) return unit;
  }
  return "";
}

// A JSON text must be UTF-8: names of drivers and processes come through sinks that have seen to that, but not all.
Json text(std::string_view value) {
  return printable(value);
}

Json attribute(std::string_view key, std::string_view value) {
  return {{"key", key}, {"value", {{"stringValue", text(value)}}}};
}

Json attributes(const Labels& labels, std::string_view without = "") {
  Json list = Json::array();
  for (const auto& [name, value] : labels) {
    if (name != without) list.push_back(attribute(name, value));
  }
  return list;
}

// Whole numbers of 64 bits are texts in this encoding.
std::string nanoseconds(WallTime at) {
  return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count());
}

Json points(const Family& family, const std::string& at) {
  Json list = Json::array();
  for (const Sample& sample : family.samples) {
    list.push_back({{"attributes", attributes(sample.labels)}, {"timeUnixNano", at}, {"asDouble", sample.value}});
  }
  return list;
}

// The lines of one histogram.
struct Histogram {
  std::map<double, double> buckets;  // by bound, cumulative
  double count = 0;
  double sum = 0;
};

Json histogram_points(const Family& family, const std::string& at) {
  std::map<Labels, Histogram> all;
  for (const Sample& sample : family.samples) {
    Labels labels = sample.labels;
    std::optional<double> bound;
    std::erase_if(labels, [&](const auto& label) {
      if (label.first != "le") return false;
      bound = label.second == "+Inf" ? INFINITY : parse_double(label.second).value_or(INFINITY);
      return true;
    });
    Histogram& histogram = all[labels];
    if (bound) histogram.buckets[*bound] = sample.value;
    if (sample.name.ends_with("_count")) histogram.count = sample.value;
    if (sample.name.ends_with("_sum")) histogram.sum = sample.value;
  }
  Json list = Json::array();
  for (const auto& [labels, histogram] : all) {
    Json bounds = Json::array();
    Json counts = Json::array();
    double before = 0;
    for (const auto& [bound, cumulative] : histogram.buckets) {
      if (std::isfinite(bound)) bounds.push_back(bound);
      counts.push_back(std::to_string(std::llround(cumulative - before)));
      before = cumulative;
    }
    list.push_back({{"attributes", attributes(labels)},
                    {"timeUnixNano", at},
                    {"count", std::to_string(std::llround(histogram.count))},
                    {"sum", histogram.sum},
                    {"explicitBounds", std::move(bounds)},
                    {"bucketCounts", std::move(counts)}});
  }
  return list;
}

Json metric(const Family& family, const std::string& at) {
  Json result = {{"name", family.name}, {"description", text(family.help)}, {"unit", unit_of(family.name)}};
  switch (family.type) {
    case Family::Type::gauge: result["gauge"] = {{"dataPoints", points(family, at)}}; break;
    case Family::Type::counter:
      result["sum"] = {
          {"dataPoints", points(family, at)}, {"aggregationTemporality", kCumulative}, {"isMonotonic", true}};
      break;
    case Family::Type::histogram:
      result["histogram"] = {{"dataPoints", histogram_points(family, at)}, {"aggregationTemporality", kCumulative}};
      break;
  }
  return result;
}

// As a receiver counts them that refuses some: the lines of a histogram are one.
std::uint64_t data_points(const Family& family) {
  if (family.type != Family::Type::histogram) return family.samples.size();
  return static_cast<std::uint64_t>(
      std::ranges::count_if(family.samples, [](const Sample& sample) { return sample.name.ends_with("_count"); }));
}

// "rejectedDataPoints" is a text in the encoding, and a number of some who write it all the same.
std::pair<std::uint64_t, std::string> refused(const std::string& body) {
  const Json answer = Json::parse(body, nullptr, false);
  if (!answer.is_object() || !answer.contains("partialSuccess")) return {0, ""};
  const Json& partial = answer["partialSuccess"];
  if (!partial.is_object()) return {0, ""};
  const Json count = partial.value("rejectedDataPoints", Json(0));
  const Json why = partial.value("errorMessage", Json(""));
  const std::uint64_t number = count.is_string()            ? parse_u64(count.get<std::string>()).value_or(0)
                               : count.is_number_unsigned() ? count.get<std::uint64_t>()
                                                            : 0;
  return {number, why.is_string() ? why.get<std::string>() : ""};
}

}  // namespace

std::string otlp_body(const std::vector<Family>& families, const Resource& resource, WallTime at) {
  const std::string time = nanoseconds(at);
  Json metrics = Json::array();
  for (const Family& family : families) {
    if (!family.samples.empty()) metrics.push_back(metric(family, time));
  }
  const Json who =
      Json::array({attribute("service.name", "gpukeeper"), attribute("service.version", resource.version),
                   attribute("service.instance.id", resource.host), attribute("host.name", resource.host)});
  const Json scope = {{"scope", {{"name", "gpukeeper"}, {"version", resource.version}}},
                      {"metrics", std::move(metrics)}};
  const Json request = {{"resourceMetrics",
                         Json::array({{{"resource", {{"attributes", who}}}, {"scopeMetrics", Json::array({scope})}}})}};
  return request.dump();
}

Protocol otlp_protocol(Resource resource) {
  return {.name = "otlp",
          .headers = {"Content-Type: application/json"},
          .again = {429, 502, 503, 504},
          .all_5xx = false,
          .encode =
              [resource = std::move(resource)](const std::vector<Family>& families, WallTime at) {
                std::uint64_t samples = 0;
                for (const Family& family : families) samples += data_points(family);
                std::vector<Request> requests;
                if (samples > 0) requests.push_back({otlp_body(families, resource, at), samples});
                return requests;
              },
          .refused = refused};
}

}  // namespace gpukeeper::push
