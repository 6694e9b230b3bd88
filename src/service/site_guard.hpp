#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/http.hpp"

namespace gpukeeper::service {

/// Keeps web pages of other sites away, which a browser on this machine runs and which so can reach 127.0.0.1.
///
/// A page whose name is made to resolve to 127.0.0.1 (DNS rebinding) is told by its Host header: over TCP only
/// loopback's names and addresses, the address that was connected to, and the names configured are served. A page that
/// sends a form or a request here is told by Origin and Sec-Fetch-Site: from another site nothing may be changed, nor
/// asked but by a link. A program that is no browser sends neither.
class SiteGuard {
 public:
  using Welcome = std::function<bool(std::string_view origin)>;

  /// `names` are what this machine is called beyond loopback, without port; `welcome` says whose pages may ask although
  /// they are of other sites (Cors::allows).
  explicit SiteGuard(
      std::vector<std::string> names, Welcome welcome = [](std::string_view) { return false; })
      : names_(std::move(names)), welcome_(std::move(welcome)) {}

  /// The refusal; nothing when the request may pass. 421 for a foreign Host, 403 for a foreign Origin.
  std::optional<Response> refuse(const Request& request) const;

 private:
  bool is_ours(std::string_view host, const Peer& peer) const;

  const std::vector<std::string> names_;
  const Welcome welcome_;
};

/// The host of "host", "host:port", "[v6]" or "[v6]:port", without brackets; nothing when it is none of these.
std::optional<std::string> host_of(std::string_view authority);

}  // namespace gpukeeper::service
