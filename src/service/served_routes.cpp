#include "service/served_routes.hpp"

#include <chrono>
#include <functional>
#include <string_view>
#include <utility>

#include "service/accounting_answer.hpp"
#include "service/audit.hpp"
#include "service/documented/system_api.hpp"
#include "service/event_desk.hpp"
#include "service/events_answer.hpp"
#include "service/forecast_answer.hpp"
#include "service/parameters.hpp"
#include "service/report_answer.hpp"
#include "service/sign_in_answer.hpp"
#include "service/socket_io_desk.hpp"

namespace gpukeeper::service {
namespace {

// What happens, as it happens.
std::vector<Route> event_routes(const std::shared_ptr<const Sights>& sights,
                                const std::shared_ptr<const Hands>& hands) {
  if (!sights->events) return {};
  const auto desk = std::make_shared<SocketIoDesk>(SocketIoDesk::World{
      .listeners = *sights->events,
      .clock = sights->metrics.clock,
      .snapshot = sights->snapshot,
      .machine = sights->machine,
      .elsewhere = sights->at_the_machine,
      .after = [events = sights->events](std::chrono::milliseconds delay,
                                         std::function<void()> what) { events->after(delay, std::move(what)); },
      .when_fresh = hands->when_fresh,
      .stats = [sights, hands] { return documented::monitoring_stats(*sights, *hands); },
      .high_usage = sights->high_usage,
      .high_usage_time = sights->high_usage_time});
  const auto talk = [desk](const Request& request) { return desk->answer(request); };
  constexpr std::string_view kSocketIo = "The documented live events, for clients of Socket.IO (Engine.IO 4).";
  const std::vector<Parameter> engine = {{"EIO", "4", "The version of Engine.IO.", true},
                                         {"transport", "polling|websocket", "What carries it.", true},
                                         {"sid", "text", "The session; none begins one."}};
  const std::vector<Parameter> query = {{"types", "text", "Of these types, with commas between them."},
                                        kDevice,
                                        {"after", "text", "Goes on behind the one of that number."}};
  return {
      described(
          {"GET", "/api/v1/events/stream",
           "What happens, as Server-Sent Events: ?types=alert,fault&device=0&after=; goes on behind Last-Event-ID.",
           [sights](const Request& request) { return events_stream(request, *sights->events, *sights->snapshot()); }},
          {.tag = kEvents, .query = query, .gives = "text", .content_type = "text/event-stream"}),
      described({"GET", "/api/v1/events", "The same over a WebSocket, a JSON message each.",
                 [sights](const Request& request) {
                   return events_web_socket(request, *sights->events, *sights->snapshot());
                 }},
                {.tag = kEvents, .query = query, .status = 101}),
      described({"GET", "/socket.io/", kSocketIo, talk},
                {.tag = kEvents, .query = engine, .gives = "text", .content_type = "text/plain"}),
      described({"POST", "/socket.io/", kSocketIo, talk, false, false, auth::Role::viewer},
                {.tag = kEvents, .query = engine, .gives = "text", .content_type = "text/plain"})};
}

report::RequestCounts request_counts(const prometheus::OperationBook::Sums& sums) {
  report::RequestCounts counts;
  for (const auto& [labels, allocations] : sums.allocations) {
    counts.granted += allocations.succeeded;
    counts.refused += allocations.failed;
  }
  return counts;
}

// What the GPUs did and who used them.
Route report_route(const std::shared_ptr<const Sights>& sights, const BookedLeases& leases) {
  const ReportDesk desk{
      .account = sights->account,
      .tariff = sights->tariff,
      .faults = sights->faults,
      .leases = leases,
      .requests = [operations = sights->metrics.operations] { return request_counts(operations->read()); }};
  return described(
      {"GET", "/api/v1/report",
       "What the GPUs did and who used them, as 'gpukeeper report --json' prints it; ?since=, until=, "
       "format=json|html|csv|text.",
       [sights, desk](const Request& request) { return report_answer(request, desk, *sights->snapshot()); }, false,
       true},
      {.tag = kPast,
       .query = {{"since", "text", "A time ago (24h, 7d) or a date; else a day ago."},
                 {"until", "text", "As well; else now."},
                 {"format", "json|html|csv|text", "What the answer is; else JSON."},
                 {"utc_offset", "number", "Of the reader, in seconds, for times in pages and texts."}},
       .gives = "report",
       .also = {"text/html", "text/csv", "text/plain"}});
}

// Who used how much.
Route accounting_route(const std::shared_ptr<const Sights>& sights) {
  const AccountingDesk desk{.account = sights->account, .tariff = sights->tariff};
  return described(
      {"GET", "/api/v1/accounting",
       "Who used how much, as 'gpukeeper account --json' prints it; ?since=, until=, by=, format=json|csv|text.",
       [sights, desk](const Request& request) { return accounting_answer(request, desk, *sights->snapshot()); }, false,
       true},
      {.tag = kPast,
       .query = {{"since", "text", "A time ago (24h, 7d) or a date; else a day ago."},
                 {"until", "text", "As well; else now."},
                 {"by", "user|service|container|pod|namespace|job|lease|class|gpu",
                  "By what is added up; else by user."},
                 {"format", "json|csv|text", "What the answer is; else JSON."},
                 {"utc_offset", "number", "Of the reader, in seconds, for times in texts."}},
       .gives = "accounting",
       .also = {"text/csv", "text/plain"}});
}

// What the GPUs will do.
Route forecast_route(const std::shared_ptr<const Sights>& sights) {
  return described(
      {"GET", "/api/v1/forecast",
       "What every GPU's temperature and memory will be, and when limits are reached; ?device=.",
       [sights](const Request& request) { return forecast_answer(request, sights->past, *sights->snapshot()); }, false,
       true},
      {.tag = kPast, .query = {kSomeDevices}, .gives = "forecast"});
}

// Drivers, libraries, device files, as the daemon's user sees them.
Route doctor_route(std::function<std::string()> document) {
  return described(
      {"GET", "/api/v1/doctor",
       "What stands between gpukeeper and the GPUs, and what to type to change it, as 'gpukeeper doctor --json' prints "
       "it.",
       [document = std::move(document)](const Request&) { return json_answer(200, document() + "\n"); }, false, true},
      {.tag = kDaemon, .gives = "api.doctor"});
}

}  // namespace

std::vector<Route> served_routes(const std::shared_ptr<const Sights>& sights, const std::shared_ptr<const Hands>& hands,
                                 const BookedLeases& leases) {
  std::vector<Route> routes = event_routes(sights, hands);
  routes.push_back(report_route(sights, leases));
  routes.push_back(accounting_route(sights));
  routes.push_back(forecast_route(sights));
  if (sights->doctor) routes.push_back(doctor_route(sights->doctor));
  if (sights->audit) routes.push_back(audit_route(*sights->audit));
  if (sights->sign_in) routes.push_back(sign_in_route(*sights->sign_in));
  return routes;
}

}  // namespace gpukeeper::service
