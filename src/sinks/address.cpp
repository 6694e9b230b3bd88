#include "sinks/address.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kLongestUrl = 2000;

bool is_host_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

// "host", "host:443", "[::1]:443".
bool read_authority(std::string_view authority, Address& address) {
  std::string_view host = authority.substr(0, authority.find(':'));
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return false;
    host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
    const auto is_ip6_letter = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
    };
    if (!std::ranges::all_of(host, is_ip6_letter)) return false;
  } else {
    authority.remove_prefix(host.size());
    if (!std::ranges::all_of(host, is_host_letter)) return false;
  }
  if (host.empty()) return false;
  address.host = to_lower(host);
  if (authority.empty()) return true;
  if (authority.front() != ':') return false;
  const auto port = parse_u64(authority.substr(1));
  if (!port || *port == 0 || *port > 65535) return false;
  address.port = static_cast<std::uint16_t>(*port);
  return true;
}

bool has_secret(const SinkSettings& sink) {
  return !sink.token_file.empty() || !sink.token_env.empty() || !sink.password_file.empty() ||
         !sink.password_env.empty();
}

}  // namespace

bool Address::is_this_machine() const {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

std::optional<Address> parse_address(std::string_view url) {
  if (url.size() > kLongestUrl) return std::nullopt;
  if (std::ranges::any_of(url, [](char c) { return c <= ' ' || c > '~'; })) return std::nullopt;
  const auto colon = url.find("://");
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  Address address;
  address.scheme = to_lower(url.substr(0, colon));
  url.remove_prefix(colon + 3);
  // A backslash ends the authority for some programs and not for others: it has no place here at all.
  if (url.find('\\') != std::string_view::npos) return std::nullopt;
  if (!read_authority(url.substr(0, url.find_first_of("/?#")), address)) return std::nullopt;
  return address;
}

std::optional<std::string> refusal_of_address(const SinkSettings& sink, std::string_view url) {
  const bool email = sink.kind == SinkKind::email;
  const auto address = parse_address(url);
  const bool right_scheme = address && (email ? address->scheme == "smtp" || address->scheme == "smtps"
                                              : address->scheme == "https" || address->scheme == "http");
  if (!right_scheme) {
    return email ? "it must be smtp://HOST:PORT or smtps://HOST:PORT, without a user: that is for the key user"
                 : "it must be https://HOST/… or http://HOST/…, without a user: that is for the key user";
  }
  if (!has_secret(sink) || address->is_this_machine()) return std::nullopt;
  if (address->scheme == "http") {
    return "a token or a password must not travel in the open to another machine: use https://";
  }
  if (address->scheme == "smtp" && sink.starttls == false) {
    return "a password must not travel in the open to another machine: use smtps://, or starttls: true";
  }
  return std::nullopt;
}

}  // namespace gpukeeper
