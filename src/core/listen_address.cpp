#include "core/listen_address.hpp"

#include <optional>

#include <arpa/inet.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr std::string_view kForms = "ADDRESS:PORT, [v6]:PORT, https://ADDRESS:PORT or unix:PATH";

Result<ListenAddress> unix_address(std::string_view path) {
  if (path.empty()) return fail(Errc::invalid_argument, "listen on 'unix:': a path must follow");
  if (path.find('\0') != path.npos) return fail(Errc::invalid_argument, "listen: a path holds no NUL");
  if (path.size() > kLongestSocketPath) {
    return fail(Errc::invalid_argument,
                fmt::format("listen on 'unix:{}': the path has {} bytes, and that of a unix socket at most {}",
                            harmless(path), path.size(), kLongestSocketPath));
  }
  return ListenAddress{.path = std::string(path), .host = {}};
}

// Takes it from the front; whether it stood there.
bool take_prefix(std::string_view& text, std::string_view prefix) {
  const bool there = text.starts_with(prefix);
  if (there) text.remove_prefix(prefix.size());
  return there;
}

bool is_address(const std::string& text, int family) {
  in6_addr room{};  // the larger of the two
  return ::inet_pton(family, text.c_str(), &room) == 1;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto port = parse_u64(text);
  if (!port || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

}  // namespace

bool ListenAddress::is_local() const {
  return is_unix() || host == "::1" || host.starts_with("127.");
}

std::string ListenAddress::to_string() const {
  if (is_unix()) return "unix:" + path;
  const std::string_view scheme = tls ? "https://" : "";
  return is_v6() ? fmt::format("{}[{}]:{}", scheme, host, port) : fmt::format("{}{}:{}", scheme, host, port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) return unix_address(text.substr(kUnix.size()));
  const auto wrong = [&](std::string_view why) {
    return fail(Errc::invalid_argument, fmt::format("listen on '{}': {}", harmless(text), why));
  };
  std::string_view place = text;
  const bool tls = take_prefix(place, "https://") || take_prefix(place, "tls:");
  if (!tls) take_prefix(place, "http://");
  if (text.starts_with('/') || text.starts_with('.'))
    return wrong(fmt::format("did you mean unix:{}?", harmless(text)));
  if (port_of(place)) return wrong(fmt::format("did you mean {}127.0.0.1:{}?", tls ? "https://" : "", place));
  const auto colon = place.rfind(':');
  if (colon == place.npos) return wrong(fmt::format("it must be {}", kForms));
  const auto port = port_of(place.substr(colon + 1));
  std::string host(place.substr(0, colon));
  if (!port) return wrong("the port must be a number from 0 to 65535");
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!is_address(host, AF_INET6)) return wrong("between the brackets must stand an IPv6 address");
  } else if (is_address(host, AF_INET6)) {
    return wrong(fmt::format("an IPv6 address stands in brackets: did you mean [{}]:{}?", host, *port));
  } else if (!is_address(host, AF_INET)) {
    return wrong("an IPv4 address must stand before the port, such as 127.0.0.1; names are not looked up");
  }
  return ListenAddress{.path = {}, .host = std::move(host), .port = *port, .tls = tls};
}

}  // namespace gpukeeper
