#include "service/cors.hpp"

#include <algorithm>

namespace gpukeeper::service {

void Cors::configure(std::vector<std::string> origins) {
  origins_.publish(std::make_shared<const std::vector<std::string>>(std::move(origins)));
}

bool Cors::allows(std::string_view origin) const {
  const auto origins = origins_.read();
  return std::ranges::find(*origins, origin) != origins->end();
}

std::optional<Response> Cors::preflight(const Request& request) const {
  const auto origin = request.header("Origin");
  if (request.method != "OPTIONS" || !origin || !request.header("Access-Control-Request-Method")) return std::nullopt;
  if (!allows(*origin)) return std::nullopt;
  Response response;
  response.status = 204;
  response.headers = {
      {"Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"},
      {"Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID"},
      {"Access-Control-Max-Age", "600"}};
  return response;
}

std::vector<Header> shared_with(std::string_view origin) {
  return {{"Access-Control-Allow-Origin", std::string(origin)},
          {"Access-Control-Expose-Headers", "ETag, Link, Location, Retry-After"},
          {"Vary", "Origin"}};
}

}  // namespace gpukeeper::service
