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

using Pieces = std::vector<std::string_view>;

bool is_place(std::string_view piece) {
  return piece.starts_with('{');
}

bool fits(const Pieces& pattern, const Pieces& path) {
  return std::ranges::equal(pattern, path, [](std::string_view wanted, std::string_view given) {
    return is_place(wanted) ? !given.empty() : wanted == given;
  });
}

// What stands in the places of a pattern that fits.
std::map<std::string, std::string> parameters(const Pieces& pattern, const Pieces& path) {
  std::map<std::string, std::string> result;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_place(pattern[i])) result.emplace(pattern[i].substr(1, pattern[i].size() - 2), path[i]);
  }
  return result;
}

// For who asked for something else: a table that lists itself may be long.
std::string what_there_is(std::span<const Route> routes) {
  std::vector<std::string_view> patterns;
  for (const Route& route : routes) {
    if (route.pattern == "/") return "GET / lists what there is";
    if (patterns.empty() || patterns.back() != route.pattern) patterns.push_back(route.pattern);
  }
  return fmt::format("there is only {}", fmt::join(patterns, ", "));
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
    patterns_.push_back(split(route.pattern, '/'));
  }
}

// The methods of every pattern that fits, as Allow lists them; empty when none fits.
std::string Router::allowed(const Request& request, const Pieces& path) const {
  std::vector<std::string_view> methods;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (!fits(patterns_[i], path) && request.path != "*") continue;
    methods.push_back(routes_[i].method);
    if (routes_[i].method == "GET") methods.emplace_back("HEAD");
  }
  if (methods.empty()) return {};
  methods.emplace_back("OPTIONS");
  std::ranges::sort(methods);
  methods.erase(std::unique(methods.begin(), methods.end()), methods.end());  // clang 14 cannot take ranges::unique
  return fmt::format("{}", fmt::join(methods, ", "));
}

Response Router::answer(Request request) const {
  const auto path = split(request.path, '/');
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (!takes(routes_[i], request.method) || !fits(patterns_[i], path)) continue;
    if (auto refusal = refuse(request, routes_[i].role(), routes_[i].own)) return std::move(*refusal);
    request.parameters = parameters(patterns_[i], path);
    return routes_[i].answer(request);
  }
  if (std::ranges::find(kMethods, request.method) == kMethods.end()) {
    return problem(501, "method_unknown", fmt::format("'{}' is no method of HTTP", request.method));
  }
  const std::string methods = allowed(request, path);
  if (methods.empty()) {
    return problem(404, "not_found", fmt::format("there is no '{}' here: {}", request.path, what_there_is(routes_)));
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
