#include "postgres/database_settings.hpp"

#include <fmt/format.h>

#include "core/nearest.hpp"
#include "device/metric_table.hpp"
#include "postgres/database_url.hpp"

namespace gpukeeper::postgres {
namespace {

// A name becomes a column's; PostgreSQL has room for 1600 of them, and a row of so many would be wrong anyway.
constexpr std::size_t kMostMetrics = 200;

std::optional<std::string> refusal_of_metric(const std::string& name) {
  const MetricRow* const row = find_metric(name);
  if (row && row->type != MetricType::info) return std::nullopt;
  if (row) return fmt::format("database.metrics: '{}' is no number, and only numbers are kept there", name);
  std::vector<std::string_view> known;
  for (const MetricRow& each : metric_table()) known.push_back(each.name);
  const auto meant = nearest(name, known);
  return fmt::format("database.metrics: there is no metric '{}'{}", name,
                     meant.empty() ? ": gpukeeper metrics lists them" : fmt::format(": did you mean '{}'?", meant));
}

}  // namespace

std::vector<std::string> check(const DatabaseSettings& settings) {
  std::vector<std::string> found;
  if (!settings.url.empty()) {
    if (const auto refusal = refusal_of_url(settings.url)) found.push_back("database.url: " + *refusal);
  }
  for (const auto& [key, path] :
       {std::pair("url_file", &settings.url_file), std::pair("password_file", &settings.password_file)}) {
    if (!path->empty() && !path->starts_with('/')) {
      found.push_back(fmt::format("database.{} = '{}': it must be the whole path of a file, from / on", key, *path));
    }
  }
  if (settings.metrics.size() > kMostMetrics) {
    found.push_back(fmt::format("database.metrics: at most {}, not {}", kMostMetrics, settings.metrics.size()));
  }
  for (std::size_t i = 0; i < settings.metrics.size(); ++i) {
    if (const auto refusal = refusal_of_metric(settings.metrics[i])) found.push_back(*refusal);
    for (std::size_t j = 0; j < i; ++j) {
      if (settings.metrics[i] != settings.metrics[j]) continue;
      found.push_back(fmt::format("database.metrics: '{}' stands there twice", settings.metrics[i]));
      break;
    }
  }
  return found;
}

}  // namespace gpukeeper::postgres
