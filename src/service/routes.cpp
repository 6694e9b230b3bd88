#include "service/routes.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "config/schema.hpp"
#include "core/files.hpp"
#include "core/rfc3339.hpp"
#include "format/json_text.hpp"
#include "service/alerts_answer.hpp"
#include "service/compression.hpp"
#include "service/devices_answer.hpp"
#include "service/documented/gpu_api.hpp"
#include "service/documented/gpu_memory.hpp"
#include "service/documented/system_api.hpp"
#include "service/elsewhere.hpp"
#include "service/faults_answer.hpp"
#include "service/idempotency.hpp"
#include "service/later.hpp"
#include "service/leases_answer.hpp"
#include "service/memory_reclaim.hpp"
#include "service/metrics_answer.hpp"
#include "service/openapi.hpp"
#include "service/operations_answer.hpp"
#include "service/parameters.hpp"
#include "service/processes_answer.hpp"
#include "service/reclaim_answer.hpp"
#include "service/services_answer.hpp"
#include "service/site_answer.hpp"
#include "service/whoami_answer.hpp"

namespace gpukeeper::service {
namespace {

// The table itself, for who comes with curl and looks around. The page at the same address is for everybody, this is
// not.
Response index(const Request& request, const std::vector<std::pair<std::string, std::string>>& rows,
               const std::string& version) {
  if (auto refusal = refuse(request, auth::Role::viewer, Own::none)) return std::move(*refusal);
  Json list = Json::array();
  for (const auto& [route, summary] : rows) list.push_back({{"route", route}, {"summary", summary}});
  auto response = json_answer(
      200, dump({{"service", "gpukeeper"}, {"version", version}, {"routes", std::move(list)}}, true) + "\n");
  response.headers.emplace_back("Vary", "Accept");
  return response;
}

// Nothing is monitored, or the latest snapshot is overdue: a driver hangs, perhaps.
bool is_stale(const Snapshot& snapshot, const Sights& sights, const Hands& hands) {
  if (!hands.monitoring()) return true;
  return hands.lives && snapshot.sequence > 0 && sights.clock->now() - snapshot.monotonic > 2 * hands.period();
}

// An answer that another thread makes, or a later moment. Those that are made at once the server's thread counts
// itself.
Answer counted(Answer answer, const MetricsDesk& desk) {
  return [answer = std::move(answer), self = desk.self, clock = desk.clock](const Request& request) {
    const auto asked = clock->now();
    Response response = answer(request);
    if (!response.later) self->answered(response.status, clock->now() - asked);
    return response;
  };
}

// The answer, once there is a snapshot of now. Before the sources are open there is nothing to wait for.
Answer freshly(Answer answer, std::shared_ptr<const Sights> sights, std::shared_ptr<const Hands> hands) {
  return [answer = std::move(answer), sights = std::move(sights), hands = std::move(hands)](const Request& request) {
    if (!hands->opened() || !is_stale(*sights->snapshot(), *sights, *hands)) return answer(request);
    const auto later = std::make_shared<Later>();
    const bool asked = hands->when_fresh([later, answer = counted(answer, sights->metrics), request] {
      later->give([answer, request] { return answer(request); });
    });
    if (!asked) return answer(request);
    Response response;
    response.later = later;
    return response;
  };
}

// Of alerts that do not arrive, of leases that cannot be kept, and of GPUs that cannot be changed or given back.
std::vector<std::string> troubles(const Sights& sights) {
  std::vector<std::string> result;
  for (const SinkStatus& sink : sights.sinks ? sights.sinks() : std::vector<SinkStatus>()) {
    if (!sink.error.empty()) result.push_back(fmt::format("sink {}: {}", sink.name, sink.error));
    if (!sink.spool.empty()) result.push_back(fmt::format("sink {}: {}", sink.name, sink.spool));
  }
  if (const auto booked = sights.snapshot()->booked; booked && !booked->closed.empty()) {
    result.push_back(fmt::format("no leases are granted: {}", booked->closed));
  }
  for (std::string& other : sights.others ? sights.others() : std::vector<std::string>()) {
    result.push_back(std::move(other));
  }
  if (!sights.changes) return result;
  for (const ActuatorReport& change : sights.changes()) {
    if (!change.message.empty()) result.push_back(fmt::format("{}: {}", change.name.to_string(), change.message));
  }
  return result;
}

Response metrics(const Request& request, const Sights& sights) {
  const auto settings = sights.metrics.settings();
  return metrics_answer(request, metric_facts(sights, *settings), settings->family_set());
}

// One that is our own operation `optimize`, but for a mere look at what was done.
Answer optimizing(Answer answer, const MetricsDesk& desk) {
  return [answer = std::move(answer), desk](const Request& request) {
    const auto asked = desk.clock->now();
    Response response = answer(request);
    if (!request.reads_only() && response.status < 400) note_own(desk, "optimize", desk.clock->now() - asked);
    return response;
  };
}

Response monitoring_answer(const Sights& sights, const Hands& hands, bool changed) {
  const auto snapshot = sights.snapshot();
  const bool looked = snapshot->sequence > 0;
  return json_answer(200, dump({{"schema", "gpukeeper.monitoring/1"},
                                {"monitoring", hands.monitoring()},
                                {"changed", changed},
                                {"sample_interval_seconds", std::chrono::duration<double>(hands.period()).count()},
                                {"sequence", snapshot->sequence},
                                {"taken_at", looked ? Json(rfc3339(snapshot->taken_at)) : Json()},
                                {"devices", snapshot->devices.size()}},
                               false) +
                              "\n");
}

Response turn_monitoring(const Sights& sights, const Hands& hands, bool on) {
  if (!hands.opened()) return starting();
  const auto snapshot = sights.snapshot();
  if (on && snapshot->sequence > 0 && snapshot->devices.empty()) {
    return problem(409, "no_gpu", "there is no GPU to monitor: gpukeeper doctor says what was looked for");
  }
  const bool changed = hands.monitor(on);
  return monitoring_answer(sights, hands, changed);
}

// One for all answers, once there is a book.
std::function<std::shared_ptr<LeaseAnswers>()> lease_answers(const std::shared_ptr<const Sights>& sights) {
  struct Made {
    std::mutex mutex;
    std::shared_ptr<LeaseAnswers> answers;  // guarded by mutex
  };
  return [sights, made = std::make_shared<Made>()]() -> std::shared_ptr<LeaseAnswers> {
    std::scoped_lock lock(made->mutex);
    Bookkeeper* const book = made->answers ? nullptr : sights->book();
    if (!book) return made->answers;
    const auto waits = std::make_shared<LeaseWaits>(*book);
    waits->start();
    made->answers = std::make_shared<LeaseAnswers>(
        LeaseDesk{.book = *book, .snapshot = sights->snapshot, .own_uid = sights->own_uid, .waits = waits});
    return made->answers;
  };
}

std::function<std::shared_ptr<const ReclaimAnswers>()> reclaim_answers(const std::shared_ptr<const Sights>& sights) {
  return [sights]() -> std::shared_ptr<const ReclaimAnswers> {
    Bookkeeper* const book = sights->book();
    if (!book) return nullptr;
    MemoryReclaim& reclaim = *sights->reclaim;
    return std::make_shared<const ReclaimAnswers>(ReclaimDesk{.book = *book,
                                                              .snapshot = sights->snapshot,
                                                              .reclaimer = reclaim.reclaimer(),
                                                              .holders = reclaim.holders(),
                                                              .hands = &reclaim.hands(),
                                                              .own_uid = sights->own_uid});
  };
}

// All may look at leases, so these stand in an answer for whoever asks.
BookedLeases booked_leases(std::function<std::shared_ptr<LeaseAnswers>()> leases) {
  return [leases = std::move(leases)](const Request& request) -> std::string {
    const auto answers = leases();
    if (!answers) return "";
    Request all = request;
    all.query = {{"all", "true"}};
    const Response answer = answers->list(all);
    return answer.status == 200 && answer.body ? *answer.body : "";
  };
}

// Given once a key: what the engine did is noted where it did it, as it answers later.
Response silence_once(const Request& request, const Post& post, const std::shared_ptr<Idempotency>& keys) {
  if (auto known = keys->begin(request)) return std::move(*known);
  return begin_silence(request, {post, [keys, request](const Response* answer) { keys->end(request, answer); }});
}

Route without_answer(Route route) {
  route.answer = nullptr;  // nothing is held that the answers hold
  return route;
}

// What programs are told of the table. It is written for the first who asks.
Route openapi_route(const std::shared_ptr<const Sights>& sights, std::shared_ptr<const std::vector<Route>> rows) {
  struct Written {
    std::mutex mutex;
    std::shared_ptr<const std::string> text;  // guarded by mutex
  };
  auto answer = [sights, rows = std::move(rows), written = std::make_shared<Written>()](const Request&) {
    auto response = json_answer(200, "");
    std::scoped_lock lock(written->mutex);
    if (!written->text) {
      written->text = std::make_shared<const std::string>(openapi(*rows, sights->health().version));
    }
    response.body = written->text;
    return response;
  };
  return described({"GET", "/api/v1/openapi.json", "This table for programs: OpenAPI 3.1.",
                    elsewhere(counted(compressed(std::move(answer)), sights->metrics), sights->elsewhere)},
                   {.tag = kDaemon, .gives = "api.openapi"});
}

}  // namespace

prometheus::MetricFacts metric_facts(const Sights& sights, const prometheus::MetricsSettings& settings) {
  prometheus::MetricFacts facts{.snapshot = sights.snapshot(),
                                .faults = sights.faults(),
                                .version = sights.health().version,
                                .prefix = settings.prefix,
                                .service_name = settings.service_name,
                                .services = sights.metrics.services(),
                                .operations = sights.metrics.operations->read(),
                                .self = sights.metrics.self->read(),
                                .queues = sights.metrics.queues(),
                                .failed_steps = sights.trouble()->count,
                                .event_clients = sights.event_clients()};
  for (const SinkStatus& sink : sights.sinks ? sights.sinks() : std::vector<SinkStatus>()) {
    facts.sinks.push_back({sink.name, sink.sent, sink.waiting, sink.dropped});
  }
  if (sights.exports) facts.exports = sights.exports();
  return facts;
}

std::vector<Route> routes(Sights sights, Hands hands) {
  constexpr auto admin = auth::Role::admin;
  const auto shared = std::make_shared<const Sights>(std::move(sights));
  const auto doing = std::make_shared<const Hands>(std::move(hands));
  const auto snapshots = std::make_shared<SnapshotAnswer>(shared->instance);
  const auto throttle = std::make_shared<const ThrottleAnswer>(shared->post, shared->changes);
  const auto allocations = std::make_shared<documented::GpuMemory>(shared);
  const auto health = [shared, doing] {
    const bool monitored = doing->monitoring() || !doing->opened();
    return health_answer(*shared->snapshot(), shared->health(), shared->clock->now(), monitored, *shared->trouble(),
                         troubles(*shared));
  };
  const auto keys = std::make_shared<Idempotency>(*shared->clock);
  std::vector<Route> table = {
      described({"GET", "/health", "Whether gpukeeper samples, and what it misses. 503 when the sampler stands still.",
                 [health](const Request&) { return health(); }},
                {.tag = kDaemon, .gives = "api.health"}),
      described(
          {"GET", "/metrics", "What Prometheus scrapes, in its text format or OpenMetrics; ?family= for some of it.",
           [shared](const Request& request) { return metrics(request, *shared); }, true},
          {.tag = kDaemon,
           .query = {{"family", "text", "Names of families, with commas between them."}},
           .gives = "text",
           .content_type = "text/plain"}),
      described(
          {"POST", "/api/v1/operations",
           "Tells what services did on the GPUs, for the metrics: {\"service\": \"embedding\", \"operation\": "
           "\"inference\", \"device\": \"0\", \"count\": 32, \"seconds\": 0.012}, or a list of such as operations.",
           idempotent(
               [shared](const Request& request) {
                 return operations_answer(request, *shared->metrics.operations, *shared->snapshot());
               },
               keys)},
          {.tag = kDaemon,
           .takes = "api.operations_request",
           .gives = "api.operations",
           .status = 202,
           .creates = true}),
      described({"GET", "/api/v1/snapshot",
                 "Every GPU now, as 'gpukeeper status --json' prints it; ?device= for one of them.",
                 [shared, snapshots](const Request& request) { return snapshots->answer(request, shared->snapshot()); },
                 true},
                {.tag = kDevices, .query = {kDevice}, .gives = "status", .tagged = true}),
      described({"GET", "/api/v1/devices",
                 "What every GPU is and how they are connected, as 'gpukeeper devices --json' prints it; ?device=.",
                 [shared](const Request& request) { return devices_answer(request, *shared->snapshot(), RealFiles()); },
                 false, true},
                {.tag = kDevices, .query = {kSomeDevices}, .gives = "devices"}),
      described({"GET", "/api/v1/devices/{device}", "One of them, by index, UUID or PCI address.",
                 [shared](const Request& request) { return device_answer(request, *shared->snapshot(), RealFiles()); },
                 false, true},
                {.tag = kDevices, .gives = "devices"}),
      described(
          {"GET", "/api/v1/states", "In which state every GPU is, since when, and between which borders; ?device=.",
           [shared](const Request& request) { return states_answer(request, *shared->snapshot()); }, true},
          {.tag = kDevices, .query = {kSomeDevices}, .gives = "states"}),
      described({"GET", "/api/v1/processes",
                 "Who uses the GPUs, as 'gpukeeper ps --json' prints it; ?device=, user=, container=, class=, pod=, "
                 "job=, sort=, limit=, cursor=.",
                 [shared](const Request& request) { return processes_answer(request, *shared->snapshot()); }, true},
                {.tag = kDevices,
                 .query = {kSomeDevices,
                           {"user", "text", "A user's name or number."},
                           {"container", "text", "The begin of an id, maybe after the runtime: docker:4f1c."},
                           {"class", "unknown|mining|ml_training|ml_inference|ml|video|gaming|desktop",
                            "What kind of work it does."},
                           {"pod", "text", "A pod's name, NAMESPACE/NAME, or the begin of its uid."},
                           {"job", "text", "Of Slurm."},
                           {"sort", "memory|gpu|cpu|time|pid|user", "By what; pages go by GPU and pid."},
                           kLimit,
                           kCursor},
                 .gives = "processes"}),
      described({"GET", "/api/v1/why",
                 "Why fans run and GPUs are slow, as 'gpukeeper why --json' prints it; ?device=, topic=.",
                 [shared](const Request& request) { return why_answer(request, *shared->snapshot()); }, true},
                {.tag = kDevices,
                 .query = {kSomeDevices, {"topic", "fan|slow|hot|busy|memory", "The question."}},
                 .gives = "why"}),
      described({"GET", "/api/v1/faults",
                 "What went wrong, as 'gpukeeper faults --json' prints it; ?device=, severity=, kind=, since=, limit=, "
                 "cursor=.",
                 [shared](const Request& request) {
                   return faults_answer(request, *shared->faults(), shared->faults_kept_in(), *shared->snapshot());
                 }},
                {.tag = kAlerts,
                 .query = {kDevice,
                           {"severity", "info|warning|error|critical", "This and what is worse."},
                           {"kind", "text", "Of these kinds, with commas between them."},
                           {"since", "text", "A time ago (90s, 24h) or a date."},
                           kLimit,
                           kCursor},
                 .gives = "faults"}),
      described(
          {"GET", "/api/v1/throttle", "How fast work may go, as 'gpukeeper throttle --json' prints it; ?device=.",
           [shared, throttle](const Request& request) { return throttle->read(request, *shared->snapshot()); }, true},
          {.tag = kDevices, .query = {kDevice}, .gives = "throttle"}),
      described(
          {"PUT", "/api/v1/throttle", R"(Asks for less: {"speed_multiplier": 0.5, "seconds": 600, "devices": ["0"]}.)",
           [shared, throttle](const Request& request) { return throttle->ask(request, *shared->snapshot()); }, false,
           false, admin},
          {.tag = kDevices, .takes = "api.throttle_request", .gives = "api.throttle_taken", .status = 202}),
      described(
          {"DELETE", "/api/v1/throttle", "Takes that back; ?device= for one GPU.",
           [shared, throttle](const Request& request) { return throttle->take_back(request, *shared->snapshot()); },
           false, false, admin},
          {.tag = kDevices, .query = {kDevice}, .gives = "api.throttle_taken", .status = 202}),
      described(
          {"GET", "/api/v1/history", "What the GPUs did until now: ?metric=&device=&since=&step=, each if wanted.",
           [shared](const Request& request) { return history_answer(request, shared->past, *shared->snapshot()); },
           false, true},
          {.tag = kPast,
           .query = {{"metric", "text", "Names of metrics, with commas between them."},
                     kSomeDevices,
                     {"since", "text", "A time ago (90s, 24h) or a date."},
                     {"step", "text", "Of a bucket: 10s, 5m."}},
           .gives = "history"}),
      described({"GET", "/api/v1/trend", "Where every GPU's temperature is going: ?device=&minutes=.",
                 [shared](const Request& request) { return trend_answer(request, shared->past, *shared->snapshot()); },
                 false, true},
                {.tag = kPast,
                 .query = {kSomeDevices, {"minutes", "count", "How far it looks back: 1 to 1440."}},
                 .gives = "trend"}),
      described({"GET", "/api/v1/sinks", "Where alerts are sent, and whether they arrive.",
                 [shared](const Request&) { return json_answer(200, sinks_json(shared->sinks()) + "\n"); }},
                {.tag = kAlerts, .gives = "api.sinks"}),
      described({"GET", "/api/v1/config", "Every key of the configuration, its value, and where that came from.",
                 [doing](const Request&) { return doing->configuration(); }},
                {.tag = kDaemon, .gives = "api.config"}),
      described({"PATCH", "/api/v1/config", "Sets keys: a JSON object of them; ?save=true writes the file, too.",
                 [doing](const Request& request) { return doing->change_configuration(request); }, false, false, admin},
                {.tag = kDaemon, .query = {kSave}, .takes = "api.config_patch", .gives = "api.config_change"}),
      described({"PUT", "/api/v1/config", "Sets these keys and takes back what else was set at run time; ?save=true.",
                 [doing](const Request& request) { return doing->change_configuration(request); }, false, false, admin},
                {.tag = kDaemon, .query = {kSave}, .takes = "api.config_patch", .gives = "api.config_change"}),
      described({"GET", "/api/v1/config/schema", "The JSON Schema of a configuration file.",
                 [](const Request&) { return json_answer(200, config::schema()); }},
                {.tag = kDaemon, .gives = "api.json_schema"}),
      described({"GET", "/api/v1/monitoring", "Whether the GPUs are looked at all the time, and when they were last.",
                 [shared, doing](const Request&) { return monitoring_answer(*shared, *doing, false); }},
                {.tag = kDaemon, .gives = "api.monitoring"}),
      described({"POST", "/api/v1/monitoring/start", "Looks at the GPUs all the time.",
                 [shared, doing](const Request&) { return turn_monitoring(*shared, *doing, true); }},
                {.tag = kDaemon, .gives = "api.monitoring"}),
      described({"POST", "/api/v1/monitoring/stop", "Looks at them only when somebody asks.",
                 [shared, doing](const Request&) { return turn_monitoring(*shared, *doing, false); }},
                {.tag = kDaemon, .gives = "api.monitoring"}),
      described({"GET", "/api/v1/alerts",
                 "What needs a person's attention, as 'gpukeeper alerts --json' prints it; ?all=true, ?device=.",
                 [shared](const Request& request) { return alerts_answer(request, *shared->snapshot()); }},
                {.tag = kAlerts,
                 .query = {kDevice, {"all", "flag", "Whether those that pend and are over stand there, too."}},
                 .gives = "alerts"}),
      described({"POST", "/api/v1/alerts/{id}/ack",
                 "Somebody takes care of it: {\"for\": \"2h\", \"comment\": \"…\"}, both optional.",
                 [shared](const Request& request) { return acknowledge(request, {shared->post}); }},
                {.tag = kAlerts, .takes = "api.acknowledgement", .body_needed = false, .status = 204}),
      described({"DELETE", "/api/v1/alerts/{id}/ack", "Nobody does any more.",
                 [shared](const Request& request) { return unacknowledge(request, {shared->post}); }},
                {.tag = kAlerts, .status = 204}),
      described({"GET", "/api/v1/silences", "The silences, as 'gpukeeper alerts silences --json' prints them.",
                 [shared](const Request&) { return silences_answer(*shared->silences()); }},
                {.tag = kAlerts, .gives = "api.silences"}),
      described(
          {"POST", "/api/v1/silences",
           "Silences alerts: {\"rule\": \"thermal\", \"device\": \"0\", \"level\": \"warning\", \"for\": \"2h\", "
           "\"comment\": \"…\"}.",
           [shared, keys](const Request& request) { return silence_once(request, shared->post, keys); }},
          {.tag = kAlerts, .takes = "api.silence_request", .gives = "api.silence", .status = 201, .creates = true}),
      described({"DELETE", "/api/v1/silences/{id}", "Ends a silence.",
                 [shared](const Request& request) { return end_silence(request, {shared->post}); }},
                {.tag = kAlerts, .status = 204}),
  };
  for (Route& route : documented::gpu_api_routes(shared, doing, allocations)) table.push_back(std::move(route));
  for (Route& route : documented::system_api_routes(shared, doing, allocations, health)) {
    table.push_back(std::move(route));
  }
  for (Route& route : table) {
    route.answer = compressed(std::move(route.answer));
    if (route.fresh) route.answer = freshly(std::move(route.answer), shared, doing);
    if (route.takes_long)
      route.answer = elsewhere(counted(std::move(route.answer), shared->metrics), shared->elsewhere);
  }
  const auto answers = lease_answers(shared);
  for (Route& route : lease_routes(answers)) {
    route.answer = compressed(std::move(route.answer));
    route.answer =
        [answers, here = route.answer,
         there = elsewhere(counted(route.answer, shared->metrics), shared->at_the_desk)](const Request& request) {
          const auto desk = answers();
          return desk && desk->is_quick(request) ? here(request) : there(request);
        };
    table.push_back(std::move(route));
  }
  Route services = services_route(shared->book, shared->snapshot);
  services.answer = elsewhere(counted(std::move(services.answer), shared->metrics), shared->at_the_desk);
  table.push_back(std::move(services));
  for (Route& route : shared->reclaim ? reclaim_routes(reclaim_answers(shared)) : std::vector<Route>()) {
    if (route.pattern == "/api/v1/plan" || route.pattern == "/api/v1/reclaim" || route.pattern == "/api/v1/optimize") {
      route.answer = optimizing(std::move(route.answer), shared->metrics);
    }
    route.answer = elsewhere(counted(std::move(route.answer), shared->metrics), shared->at_the_desk);
    table.push_back(std::move(route));
  }
  for (Route& route : shared->served ? shared->served(shared, doing, booked_leases(answers)) : std::vector<Route>()) {
    if (route.takes_long) {  // the others are streams
      route.answer = elsewhere(counted(compressed(std::move(route.answer)), shared->metrics), shared->elsewhere);
    }
    table.push_back(std::move(route));
  }
  const auto told = std::make_shared<std::vector<Route>>();
  table.push_back(whoami_route());
  table.push_back(openapi_route(shared, told));
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Route& route : table) {
    rows.emplace_back(std::string(route.method) + " " + std::string(route.pattern), route.summary);
  }
  table.push_back(described({"GET", "/", "The web page, for browsers; for programs this list.",
                             [shared, rows](const Request& request) {
                               if (shared->site && wants_page(request)) return page_answer(request, *shared->site);
                               return index(request, rows, shared->health().version);
                             },
                             false, false, auth::Role::none},
                            {.tag = kDaemon, .gives = "api.index"}));
  for (const Route& route : table) told->push_back(without_answer(route));
  for (Route& route : shared->site ? site_routes(*shared->site) : std::vector<Route>()) {
    table.push_back(std::move(route));  // they are for no program
  }
  return table;
}

std::vector<Route> public_routes(const std::vector<Route>& all) {
  constexpr std::string_view kPublic[] = {"/metrics", "/health", "/ready"};
  std::vector<Route> some;
  for (const Route& route : all) {
    if (route.method == "GET" && std::ranges::find(kPublic, route.pattern) != std::end(kPublic)) some.push_back(route);
  }
  return some;
}

}  // namespace gpukeeper::service
