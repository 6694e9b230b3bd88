#include "service/whoami_answer.hpp"

#include "format/json_text.hpp"
#include "service/authority.hpp"
#include "service/parameters.hpp"

namespace gpukeeper::service {
namespace {

// In the order of Authority.
std::string_view how(const Request& request) {
  const Peer& peer = *request.peer;
  if (token_of(request)) return "token";
  if (peer.credentials) return "socket";
  if (!request.who.known) return is_loopback(peer.address) ? "loopback" : "address";
  return peer.certificate && request.who.name == auth::title(*peer.certificate) ? "certificate" : "cookie";
}

Response whoami_answer(const Request& request) {
  const auth::Identity& who = request.who;
  return json_answer(200, dump({{"schema", "gpukeeper.whoami/1"},
                                {"role", auth::to_string(who.role)},
                                {"name", text_or_null(who.name)},
                                {"service", who.service ? Json(*who.service) : Json()},
                                {"how", how(request)}},
                               false) +
                              "\n");
}

}  // namespace

Route whoami_route() {
  Route route = described(
      {"GET", "/api/v1/whoami", "For whom gpukeeper takes who asks, what he may, and how it knows.", whoami_answer},
      {.tag = kDaemon, .gives = "api.whoami"});
  route.needs = auth::Role::none;
  return route;
}

}  // namespace gpukeeper::service
