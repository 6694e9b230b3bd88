#include "postgres/database_url.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace gpukeeper::postgres {
namespace {

constexpr std::array<std::string_view, 2> kSchemes = {"postgresql://", "postgres://"};
constexpr std::size_t kLongest = 4096;

// The length of the scheme with its slashes; 0 for none of ours.
std::size_t scheme_of(std::string_view url) {
  for (const std::string_view scheme : kSchemes) {
    if (url.starts_with(scheme)) return scheme.size();
  }
  return 0;
}

// All but what RFC 3986 calls unreserved.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

// "db:5432", "[::1]", "a:5432,b:5432": but for a port, no text follows a colon.
bool ends_in_port(std::string_view place) {
  const auto bracket = place.rfind(']');
  const auto colon = place.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos) return true;
  const std::string_view port = place.substr(colon + 1, place.substr(colon + 1).find(','));
  return std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::string> refusal_of_url(std::string_view url) {
  if (scheme_of(url) == 0) return "it must begin with postgresql:// or postgres://";
  if (url.size() > kLongest) return fmt::format("it must not be longer than {} bytes", kLongest);
  const auto is_wrong = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  if (std::ranges::any_of(url, is_wrong)) return "blanks and control characters must be written as %20 and the like";
  return std::nullopt;
}

std::string shown_database(std::string_view url) {
  const std::size_t begin = scheme_of(url);
  if (begin == 0) return "…";
  const std::string scheme(url.substr(0, begin));
  const std::string_view all = url.substr(begin);
  const auto question = all.find('?');
  const std::string_view rest = all.substr(0, question);
  const auto colon = rest.find(':');
  const auto at = rest.rfind('@');  // a password may hold one that nobody escaped
  if (at != std::string_view::npos) {
    if (colon == std::string_view::npos || colon > at) return scheme + std::string(rest);
    return fmt::format("{}{}:…{}", scheme, rest.substr(0, colon), rest.substr(at));
  }
  // For libpq a password may hold a question mark, too. And who forgets the host has written it where the port stands.
  const bool asks_in_password = question != std::string_view::npos && rest.find('/') == std::string_view::npos &&
                                all.find('@', question) != std::string_view::npos;
  if (colon == std::string_view::npos || (!asks_in_password && ends_in_port(rest.substr(0, rest.find('/'))))) {
    return scheme + std::string(rest);
  }
  return fmt::format("{}{}:…", scheme, rest.substr(0, colon));
}

std::string without_driver(std::string_view url) {
  const auto colon = url.find("://");
  const auto plus = url.find('+');
  if (colon == std::string_view::npos || plus == std::string_view::npos || plus > colon) return std::string(url);
  return std::string(url.substr(0, plus)) + std::string(url.substr(colon));
}

std::string make_database_url(const DatabaseParts& parts) {
  std::string url(kSchemes[0]);
  if (!parts.user.empty()) {
    url += escaped(parts.user);
    if (!parts.password.empty()) url += ':' + escaped(parts.password);
    url += '@';
  }
  const bool v6 = parts.host.find(':') != std::string::npos;
  url += v6 ? '[' + parts.host + ']' : escaped(parts.host);
  if (!parts.port.empty()) url += ':' + escaped(parts.port);
  if (!parts.name.empty()) url += '/' + escaped(parts.name);
  return url;
}

}  // namespace gpukeeper::postgres
