#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/role.hpp"
#include "service/authority.hpp"
#include "service/http.hpp"

namespace gpukeeper::service {

/// What may stand behind the '?' of a target.
struct Parameter {
  std::string_view name;
  std::string_view takes;    ///< a schema: "text", "number", "count", "flag", or words with '|' between them
  std::string_view summary;  ///< a sentence
  bool needed = false;
};

/// What programs are told of a row beside its summary: the rest of a line of OpenAPI (openapi.hpp).
struct Description {
  std::string_view tag = {};  ///< under which it is listed
  std::vector<Parameter> query = {};
  std::string_view takes = {};  ///< the schema of the body; empty: there is none
  bool body_needed = true;      ///< where it takes one
  std::string_view gives = {};  ///< the schema of a good answer; empty: there is no body
  unsigned status = 200;        ///< of a good answer
  std::string_view content_type = "application/json";
  bool creates = false;                     ///< Idempotency-Key is understood
  bool tagged = false;                      ///< with an ETag: 304 for who has it
  std::vector<std::string_view> also = {};  ///< types of content, texts, that a good answer may have in place of that
};

/// One row: what is answered where.
struct Route {
  std::string_view method;   ///< "GET" answers HEAD too
  std::string_view pattern;  ///< "/api/v1/devices/{uuid}": a {name} takes one piece of the path
  std::string_view summary;  ///< a sentence for the index and for documentation
  /// Runs on the server's thread, so it answers at once from what is known; unless takes_long.
  std::function<Response(const Request&)> answer;
  bool fresh = false;       ///< it answers from a snapshot: with monitoring off one is taken before
  bool takes_long = false;  ///< it runs on another thread instead
  std::optional<auth::Role> needs = std::nullopt;  ///< absent: a viewer for GET, an operator for all else
  Own own = Own::none;                             ///< whose own it may be, where the role is not enough
  Description about = {};                          ///< for programs; put on with described()

  auth::Role role() const { return needs.value_or(method == "GET" ? auth::Role::viewer : auth::Role::operator_); }
};

/// The row, with what programs are told of it.
inline Route described(Route route, Description about) {
  route.about = std::move(about);
  return route;
}

/// Finds the route of a request. A pure function of the table: no sockets, no state.
///
/// Threads: answer() may be called from any.
class Router {
 public:
  /// No two rows may have the same method and pattern; earlier rows are tried first.
  explicit Router(std::vector<Route> routes);

  /// The route's answer, or the refusal of what the asker's role does not allow (refuse()); 404 when no pattern fits;
  /// 405 with Allow when one fits but has not this method; 501 for a method that HTTP does not have; 204 with Allow for
  /// OPTIONS. No CORS headers: other sites read nothing here.
  Response answer(Request request) const;

  std::span<const Route> routes() const { return routes_; }

 private:
  using Pieces = std::vector<std::string_view>;
  std::string allowed(const Request& request, const Pieces& path) const;

  const std::vector<Route> routes_;
  std::vector<Pieces> patterns_;  // of each route, in its order
};

}  // namespace gpukeeper::service
