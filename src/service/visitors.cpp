#include "service/visitors.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include <fmt/format.h>

#include "service/authority.hpp"

namespace gpukeeper::service {

std::string visitor_of(const std::string& address) {
  in6_addr v6{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6) != 1 || IN6_IS_ADDR_V4MAPPED(&v6)) return address;
  std::fill(std::begin(v6.s6_addr) + 8, std::end(v6.s6_addr), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &v6, text.data(), text.size());
  return text.data();
}

bool is_welcome(const Peer& peer, const std::vector<auth::Network>& allowed) {
  if (allowed.empty() || peer.over_unix_socket() || is_loopback(peer.address)) return true;
  return std::ranges::any_of(allowed, [&](const auth::Network& each) { return each.contains(peer.address); });
}

std::optional<Response> Visitors::refuse(const Request& request) {
  const std::uint32_t per_minute = per_minute_;
  const Peer& peer = *request.peer;
  if (per_minute == 0 || request.who.known || peer.over_unix_socket() || is_loopback(peer.address)) return std::nullopt;
  if (request.path == "/health" || request.path == "/ready") return std::nullopt;
  const auto wait = rate_.take(visitor_of(peer.address), per_minute, clock_.now());
  if (wait <= std::chrono::seconds(0)) return std::nullopt;
  auto response =
      problem(429, "too_many_requests",
              fmt::format("{} requests a minute are answered of an address without a token: try again in {} "
                          "s, or send a token, which 'gpukeeper token create' makes",
                          per_minute, wait.count()));
  response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
  return response;
}

}  // namespace gpukeeper::service
