#include "service/router.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::array<std::string_view, 9> kMethods = {"GET",     "HEAD",  "POST",    "PUT",  "DELETE",
                                                      "OPTIONS", "PATCH", "CONNECT", "TRACE"};

using Parameters = std::map<std::string, std::string>;

// What stands in the pattern's places; nothing when the path is not of that form.
std::optional<Parameters> match(std::string_view pattern, std::string_view path) {
  const auto wanted = split(pattern, '/');
  const auto given = split(path, '/');
  if (wanted.size() != given.size()) return std::nullopt;
  Parameters parameters;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{')) {
      if (given[i].empty()) return std::nullopt;
      parameters.emplace(wanted[i].substr(1, wanted[i].size() - 2), given[i]);
    } else if (wanted[i] != given[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

bool takes(const Route& route, std::string_view method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Route& route : routes_) {
    if (!seen.emplace(route.method, route.pattern).second) {
      throw std::logic_error(fmt::format("two routes {} {}", route.method, route.pattern));
    }
  }
}

// The methods of every pattern that fits, as Allow lists them; empty when none fits.
std::string Router::allowed(const Request& request) const {
  std::vector<std::string_view> methods;
  for (const Route& route : routes_) {
    if (!match(route.pattern, request.path) && request.path != "*") continue;
    methods.push_back(route.method);
    if (route.method == "GET") methods.emplace_back("HEAD");
  }
  if (methods.empty()) return {};
  methods.emplace_back("OPTIONS");
  std::ranges::sort(methods);
  methods.erase(std::unique(methods.begin(), methods.end()), methods.end());  // clang 14 cannot take ranges::unique
  return fmt::format("{}", fmt::join(methods, ", "));
}

Response Router::answer(Request request) const {
  for (const Route& route : routes_) {
    if (!takes(route, request.method)) continue;
    auto parameters = match(route.pattern, request.path);
    if (!parameters) continue;
    request.parameters = std::move(*parameters);
    return route.answer(request);
  }
  if (std::ranges::find(kMethods, request.method) == kMethods.end()) {
    return problem(501, "method_unknown", fmt::format("'{}' is no method of HTTP", request.method));
  }
  const std::string methods = allowed(request);
  if (methods.empty()) {
    return problem(404, "not_found", fmt::format("there is no '{}' here: GET / lists what there is", request.path));
  }
  Response response;
  if (request.method == "OPTIONS") {
    response.status = 204;
  } else {
    response =
        problem(405, "method_not_allowed", fmt::format("'{}' takes {}, not {}", request.path, methods, request.method));
  }
  response.headers.emplace_back("Allow", methods);
  return response;
}

}  // namespace gpukeeper::service
