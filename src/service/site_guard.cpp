#include "service/site_guard.hpp"

#include <algorithm>

#include <arpa/inet.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::service {
namespace {

bool is_loopback(const std::string& host) {
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
  return same_ignoring_case(host, "localhost");
}

bool is_port(std::string_view text) {
  return text.empty() || parse_u64(text).value_or(1 << 16) < (1 << 16);
}

}  // namespace

std::optional<std::string> host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == authority.npos) return std::nullopt;
    const auto rest = authority.substr(end + 1);
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return std::nullopt;
    return std::string(authority.substr(1, end - 1));
  }
  const auto colon = authority.find(':');
  if (colon != authority.npos && !is_port(authority.substr(colon + 1))) return std::nullopt;
  auto host = authority.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);  // "localhost." is localhost
  if (host.empty()) return std::nullopt;
  return std::string(host);
}

bool SiteGuard::is_ours(std::string_view authority, const Peer& peer) const {
  const auto host = host_of(authority);
  if (!host) return false;
  if (is_loopback(*host) || *host == peer.own_address) return true;
  return std::ranges::any_of(names_, [&](const std::string& name) { return same_ignoring_case(name, *host); });
}

std::optional<Response> SiteGuard::refuse(const Request& request) const {
  const auto host = request.header("Host");
  // Over TLS a browser has compared the name with our certificate already.
  const bool may_be_tricked = !request.peer->over_unix_socket() && !request.peer->tls;
  if (may_be_tricked && host && !is_ours(*host, *request.peer)) {  // no Host: HTTP/1.0, no browser
    return problem(421, "host_not_served",
                   fmt::format("the host '{}' is not served here: it must be localhost, the address that you connect "
                               "to, or stand under 'hosts' in the configuration",
                               harmless(*host)));
  }
  const auto site = request.header("Sec-Fetch-Site");
  const auto origin = request.header("Origin");
  if (origin && welcome_(*origin)) return std::nullopt;
  // A browser lets any page read what comes over a WebSocket.
  if (request.reads_only() && !request.header("Upgrade")) {
    // A link leads here from anywhere; an answer that a page would only be kept from seeing is work for nothing.
    const auto mode = request.header("Sec-Fetch-Mode");
    if (!site || *site != "cross-site" || (mode && *mode == "navigate")) return std::nullopt;
    return problem(403, "foreign_origin", "pages of other sites are answered nothing here");
  }
  const bool foreign_site = site && *site != "same-origin" && *site != "none";
  const bool foreign_origin =
      origin && (!host || *origin != fmt::format("{}://{}", request.peer->tls ? "https" : "http", *host));
  if (!foreign_site && !foreign_origin) return std::nullopt;
  return problem(
      403, "foreign_origin",
      fmt::format("a page of {} may change nothing here, nor listen", origin ? harmless(*origin) : "another site"));
}

}  // namespace gpukeeper::service
