#include "service/documented/system_api.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "faults/fault_journal.hpp"
#include "machine/machine_reader.hpp"
#include "service/documented/gpu_list.hpp"
#include "service/documented/gpu_objects.hpp"
#include "service/documented/machine_objects.hpp"
#include "service/elsewhere.hpp"
#include "service/parameters.hpp"

namespace gpukeeper::service::documented {
namespace {

constexpr std::string_view kApiVersion = "1.0.0";    // of the documented interface, whatever ours is
constexpr std::string_view kDashboardPort = "0909";  // the documents' own; here the page has the port of everything

CommandLines may_read(const Request& request) {
  return may_read_command_lines(request.who) ? CommandLines::shown : CommandLines::hidden;
}

// The object of a snapshot; 503 before the first.
template <class Make>
Response of_snapshot(const Sights& sights, const Make& make) {
  const auto snapshot = sights.snapshot();
  return snapshot->sequence == 0 ? starting() : answer(200, make(*snapshot));
}

bool any_available(const Snapshot& snapshot) {
  return std::ranges::any_of(snapshot.devices, &DeviceSnapshot::available);
}

// Why what happened is not kept in files; empty when it is.
std::string storage_trouble(const Sights& sights, const Snapshot& snapshot) {
  if (sights.faults_kept_in().empty()) return "there is no state directory: what happened is forgotten at the end";
  for (const EventSourceStatus& each : snapshot.event_sources) {
    if (each.name == kFaultJournal && !each.available) return each.message;
  }
  return snapshot.booked ? snapshot.booked->closed : std::string();
}

Response api_health(const Sights& sights, const Response& health) {
  const auto snapshot = sights.snapshot();
  Json document = Json::parse(*health.body);
  const std::string trouble = storage_trouble(sights, *snapshot);
  document["database"] = trouble.empty() ? "connected" : "unavailable";
  if (!trouble.empty()) document["database_reason"] = trouble;
  document["gpu_monitoring"] = any_available(*snapshot) ? "available" : "unavailable";
  auto response = answer(health.status, document);
  if (health.status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

Response ready(const Sights& sights, const Hands& hands) {
  const bool is_ready = hands.opened() && sights.snapshot()->sequence > 0;
  auto response = answer(is_ready ? 200 : 503, {{"status", is_ready ? "ready" : "starting"}});
  if (!is_ready) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Json stats(const Sights& sights, const Hands& hands) {
  const auto snapshot = sights.snapshot();
  const double uptime = std::chrono::duration<double>(sights.clock->now() - sights.health().started).count();
  const auto updates = static_cast<double>(snapshot->sequence);
  const auto errors = sights.trouble()->count;
  return {{"active", hands.monitoring()},
          {"connected_clients", sights.event_clients()},
          {"update_count", snapshot->sequence},
          {"error_count", errors},
          {"uptime_seconds", uptime},
          {"updates_per_minute", uptime > 0 ? 60 * updates / uptime : 0.0},
          {"error_rate", updates > 0 ? static_cast<double>(errors) / updates : 0.0}};
}

Json status_answer(const Snapshot& snapshot, const MachineFacts& facts, std::string_view version) {
  const Json overall = overview(facts);
  return {{"api_version", kApiVersion},
          {"status", "operational"},
          {"message", "gpukeeper watches the GPUs of this machine"},
          {"service", "gpukeeper"},
          {"version", version},
          {"port", kDashboardPort},
          {"monitoring",
           {{"gpu_available", any_available(snapshot)},
            {"gpu_count", snapshot.devices.size()},
            {"system_available", true},
            {"platform", "Linux"}}},
          {"quick_status",
           {{"cpu_usage", overall["cpu"]["usage_percent"]},
            {"memory_usage", overall["memory"]["used_percent"]},
            {"explanation", overall["explanation"]}}}};
}

// The rows about the computer, which look at it on a thread of their own.
std::vector<Route> machine_routes(const std::shared_ptr<const Sights>& sights,
                                  const std::shared_ptr<GpuMemory>& memory) {
  using Object = std::function<Json(const Request&, const MachineFacts&)>;
  const auto row = [&](std::string_view path, std::string_view summary, std::string_view gives, Object object,
                       std::vector<Parameter> query = {}) {
    return described(
        {"GET", path, summary,
         elsewhere([sights, object = std::move(object)](
                       const Request& request) { return answer(200, object(request, *sights->machine())); },
                   sights->at_the_machine)},
        {.tag = kSystemMonitor, .query = std::move(query), .gives = gives});
  };
  return {
      row("/api/status", "Whether the system monitor works, and how loaded the computer is.", "documented.status",
          [sights](const Request&, const MachineFacts& facts) {
            return status_answer(*sights->snapshot(), facts, sights->health().version);
          }),
      row("/api/system/status", "One GPU (?gpu_id=) beside the computer's processors and memory.",
          "documented.system_status",
          [sights, memory](const Request& request, const MachineFacts& facts) {
            const auto snapshot = sights->snapshot();
            const auto allocations = memory->known(snapshot->sequence);
            return Json{{"gpu", status_object(*snapshot, gpu_in_query(request), *allocations)},
                        {"cpu", cpu_object(facts)},
                        {"memory", memory_object(facts)}};
          },
          {kGpuId}),
      row("/api/system/overview", "How loaded the computer is, in short.", "documented.overview",
          [](const Request&, const MachineFacts& facts) { return overview(facts); }),
      row("/api/system/cpu", "The computer's processors, and what keeps them busy.", "documented.cpu",
          [sights](const Request& request, const MachineFacts& facts) { return cpu_answer(facts, may_read(request)); }),
      row("/api/system/memory", "The computer's memory, and what fills it.", "documented.memory",
          [sights](const Request& request, const MachineFacts& facts) {
            return memory_answer(facts, may_read(request));
          }),
      row("/api/system/disk", "The computer's disks.", "documented.disk",
          [](const Request&, const MachineFacts& facts) { return disk_answer(facts); }),
      row("/api/system/network", "The computer's network interfaces.", "documented.network",
          [](const Request&, const MachineFacts& facts) { return network_answer(facts); }),
  };
}

}  // namespace

std::string monitoring_stats(const Sights& sights, const Hands& hands) {
  return stats(sights, hands).dump();
}

std::vector<Route> system_api_routes(const std::shared_ptr<const Sights>& sights,
                                     const std::shared_ptr<const Hands>& hands,
                                     const std::shared_ptr<GpuMemory>& memory, std::function<Response()> health) {
  std::vector<Route> rows = {
      described({"GET", "/api/gpu/summary", "Every GPU in short, for clients of the system monitor.",
                 [sights](const Request&) { return of_snapshot(*sights, gpu_summary); }, true},
                {.tag = kSystemMonitor, .gives = "documented.summary"}),
      described({"GET", "/api/gpu/processes",
                 "Why the fan runs: the processes on the GPUs, for clients of the system monitor.",
                 [sights](const Request& request) {
                   const CommandLines lines = may_read(request);
                   return of_snapshot(*sights,
                                      [lines](const Snapshot& snapshot) { return gpu_processes(snapshot, lines); });
                 },
                 true},
                {.tag = kSystemMonitor, .gives = "documented.processes"}),
      described({"GET", "/api/health", "As /health, and whether what happens is kept and a GPU is seen.",
                 [sights, health = std::move(health)](const Request&) { return api_health(*sights, health()); }},
                {.tag = kSystemMonitor, .gives = "documented.health"}),
      described({"GET", "/ready", "Whether there is something to answer with. 503 until the GPUs were looked at.",
                 [sights, hands](const Request&) { return ready(*sights, *hands); }},
                {.tag = kDaemon, .gives = "api.ready"}),
      described({"GET", "/api/monitoring/stats", "How often the GPUs were looked at, and what failed.",
                 [sights, hands](const Request&) { return answer(200, stats(*sights, *hands)); }},
                {.tag = kSystemMonitor, .gives = "documented.stats"}),
  };
  if (!sights->machine) return rows;
  for (Route& row : machine_routes(sights, memory)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace gpukeeper::service::documented
