#include "service/served_routes.hpp"

#include <chrono>
#include <functional>
#include <string_view>
#include <utility>

#include "service/audit.hpp"
#include "service/documented/system_api.hpp"
#include "service/event_desk.hpp"
#include "service/events_answer.hpp"
#include "service/parameters.hpp"
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

}  // namespace

std::vector<Route> served_routes(const std::shared_ptr<const Sights>& sights,
                                 const std::shared_ptr<const Hands>& hands) {
  std::vector<Route> routes = event_routes(sights, hands);
  if (sights->audit) routes.push_back(audit_route(*sights->audit));
  if (sights->sign_in) routes.push_back(sign_in_route(*sights->sign_in));
  return routes;
}

}  // namespace gpukeeper::service
