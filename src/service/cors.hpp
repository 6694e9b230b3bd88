#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/published.hpp"
#include "service/http.hpp"

namespace gpukeeper::service {

/// Pages of other sites that may ask here out of a browser, as the Fetch standard has it ("CORS protocol"): those that
/// are configured, by their exact origin, and none else. They are answered what anybody is; a token is theirs to send,
/// and a cookie never counts, as nothing here says Access-Control-Allow-Credentials.
///
/// Threads: configure() may be called from any, as may the rest.
class Cors {
 public:
  explicit Cors(std::vector<std::string> origins) { configure(std::move(origins)); }

  void configure(std::vector<std::string> origins);

  /// Whether pages of that site may.
  bool allows(std::string_view origin) const;

  /// The answer to the question that a browser asks before such a page's own; nothing where it is another.
  std::optional<Response> preflight(const Request& request) const;

 private:
  Published<std::vector<std::string>> origins_;
};

/// What an answer says to the browser of such a page.
std::vector<Header> shared_with(std::string_view origin);

}  // namespace gpukeeper::service
