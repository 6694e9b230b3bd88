#include "service/own_request.hpp"

#include <utility>

#include "service/peer_process.hpp"
#include "service/target.hpp"

namespace gpukeeper::service {

Result<Request> own_request(std::string_view method, std::string_view target, std::string_view body,
                            std::string_view name) {
  auto parsed = parse_target(target);
  if (!parsed) return tl::make_unexpected(parsed.error());
  Request request;
  request.method = method;
  request.target = target;
  request.path = std::move(parsed->path);
  request.query = std::move(parsed->query);
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = body;
  request.peer = this_process();
  request.who = {.role = auth::Role::admin, .name = std::string(name), .known = true};
  return request;
}

}  // namespace gpukeeper::service
