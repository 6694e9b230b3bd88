#include "service/documented/refusals.hpp"

#include <utility>

#include "service/documented/words.hpp"

namespace gpukeeper::service::documented {

bool is_documented(std::string_view path) {
  return path.starts_with("/api/") && !path.starts_with("/api/v1/") && path != "/api/v1";
}

Response in_their_words(std::string_view method, std::string_view path, Response response) {
  if (response.later || !is_documented(path)) return response;
  if (method == "OPTIONS" && response.status == 204) response.status = 200;
  if (response.content_type != "application/problem+json" || !response.body) return response;
  const Json problem = Json::parse(*response.body, nullptr, false);
  if (!problem.is_object() || !problem.contains("detail")) return response;
  Response theirs = failed(response.status, problem["detail"].get<std::string>());
  response.content_type = std::move(theirs.content_type);
  response.body = std::move(theirs.body);
  return response;
}

}  // namespace gpukeeper::service::documented
