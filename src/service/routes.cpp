#include "service/routes.hpp"

#include <utility>

#include "format/json_text.hpp"
#include "service/faults_answer.hpp"

namespace gpukeeper::service {
namespace {

// GET /: the table itself, for who comes with a browser or curl and looks around.
Response index(const std::vector<std::pair<std::string, std::string>>& rows, const std::string& version) {
  Json list = Json::array();
  for (const auto& [route, summary] : rows) list.push_back({{"route", route}, {"summary", summary}});
  return json_answer(200,
                     dump({{"service", "gpukeeper"}, {"version", version}, {"routes", std::move(list)}}, true) + "\n");
}

}  // namespace

std::vector<Route> routes(Sights sights) {
  const auto shared = std::make_shared<const Sights>(std::move(sights));
  const auto snapshots = std::make_shared<SnapshotAnswer>(shared->instance, shared->own_uid);
  const auto throttle = std::make_shared<const ThrottleAnswer>(shared->post, shared->own_uid);
  std::vector<Route> table = {
      {"GET", "/health", "Whether gpukeeper samples, and what it misses. 503 when the sampler stands still.",
       [shared](const Request&) { return health_answer(*shared->snapshot(), shared->health, shared->clock->now()); }},
      {"GET", "/api/v1/snapshot", "Every GPU now, as 'gpukeeper status --json' prints it; ?device= for one of them.",
       [shared, snapshots](const Request& request) { return snapshots->answer(request, shared->snapshot()); }},
      {"GET", "/api/v1/faults",
       "What went wrong, as 'gpukeeper faults --json' prints it; ?device=, severity=, kind=, since=, limit=.",
       [shared](const Request& request) {
         return faults_answer(request, *shared->faults(), shared->faults_kept_in(), *shared->snapshot());
       }},
      {"GET", "/api/v1/throttle", "How fast work may go, as 'gpukeeper throttle --json' prints it; ?device=.",
       [shared, throttle](const Request& request) { return throttle->read(request, *shared->snapshot()); }},
      {"PUT", "/api/v1/throttle",
       R"(Asks for less: {"speed_multiplier": 0.5, "seconds": 600, "devices": ["0"]}. Over the owner's socket only.)",
       [shared, throttle](const Request& request) { return throttle->ask(request, *shared->snapshot()); }},
      {"DELETE", "/api/v1/throttle", "Takes that back; ?device= for one GPU. Over the owner's socket only.",
       [shared, throttle](const Request& request) { return throttle->take_back(request, *shared->snapshot()); }},
      {"GET", "/api/v1/history", "What the GPUs did until now: ?metric=&device=&since=&step=, each if wanted.",
       [shared](const Request& request) { return history_answer(request, shared->past, *shared->snapshot()); }},
      {"GET", "/api/v1/trend", "Where every GPU's temperature is going: ?device=&minutes=.",
       [shared](const Request& request) { return trend_answer(request, shared->past, *shared->snapshot()); }},
  };
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Route& route : table) {
    rows.emplace_back(std::string(route.method) + " " + std::string(route.pattern), route.summary);
  }
  table.push_back(
      {"GET", "/", "This list.", [shared, rows](const Request&) { return index(rows, shared->health.version); }});
  return table;
}

}  // namespace gpukeeper::service
