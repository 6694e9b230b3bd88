#include "client/host.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include <arpa/inet.h>
#include <netdb.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::client {
namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035, 2.3.4

bool is_v6(const std::string& text) {
  in6_addr room{};
  return ::inet_pton(AF_INET6, text.c_str(), &room) == 1;
}

// Letters, digits, '-', '_' and dots: more than the DNS allows, and nothing that could mean something else.
bool is_name(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, plain) && text.front() != '-';
}

// The machine and what follows it: ":PORT", or nothing.
std::optional<Host> machine(std::string_view text) {
  Host host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return std::nullopt;
    host.name = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!is_v6(host.name)) return std::nullopt;
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    host.name = text.substr(0, colon);
    rest = text.substr(colon);
    if (!is_name(host.name)) return std::nullopt;
  }
  if (rest.empty()) return host;
  const auto port = parse_u64(rest.substr(1));
  if (rest.front() != ':' || !port || *port == 0 || *port > 65535) return std::nullopt;
  host.port = static_cast<std::uint16_t>(*port);
  return host;
}

std::string written(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = {};
  const void* const number = address.sa_family == AF_INET6
                                 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr)
                                 : static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  const char* const result = ::inet_ntop(address.sa_family, number, text, sizeof text);
  return result == nullptr ? std::string() : std::string(result);
}

}  // namespace

Result<Host> parse_host(std::string_view text, std::string_view from) {
  constexpr std::string_view kUnix = "unix:", kHttp = "http://", kHttps = "https://";
  const auto wrong = [from, said = text] {
    return fail(Errc::invalid_argument,
                fmt::format("{} takes unix:PATH, HOST[:PORT] or https://HOST[:PORT], not '{}'", from, harmless(said)));
  };
  if (text.starts_with(kUnix)) {
    auto address = parse_listen_address(text);
    if (!address) return wrong();
    return Host{.path = std::move(address->path), .name = {}, .port = 0};
  }
  const bool tls = text.starts_with(kHttps);
  if (tls || text.starts_with(kHttp)) {
    text.remove_prefix(tls ? kHttps.size() : kHttp.size());
    if (text.ends_with('/')) text.remove_suffix(1);
  }
  auto host = machine(text);
  if (!host) return wrong();
  host->tls = tls;
  return std::move(*host);
}

Result<std::vector<ListenAddress>> look_up(const Host& host) {
  if (!host.path.empty()) return std::vector{ListenAddress{.path = host.path, .host = {}}};
  if (host.name == "localhost")
    return std::vector{ListenAddress{.path = {}, .host = "127.0.0.1", .port = host.port, .tls = host.tls}};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.name.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(failed == 0 ? found : nullptr, &::freeaddrinfo);
  std::vector<ListenAddress> addresses;
  for (const addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
    if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
    addresses.push_back({.path = {}, .host = written(*each->ai_addr), .port = host.port, .tls = host.tls});
  }
  if (!addresses.empty()) return addresses;
  return fail(Errc::not_found, fmt::format("there is no host '{}': {}", host.name,
                                           failed == 0 ? "it has no address" : ::gai_strerror(failed)));
}

}  // namespace gpukeeper::client
