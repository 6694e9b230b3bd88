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
  const std::string_view rest = url.substr(begin, url.find('?') - std::min(begin, url.find('?')));
  const std::string scheme(url.substr(0, begin));
  const auto at = rest.rfind('@');  // a password may hold one that nobody escaped
  if (at == std::string_view::npos) return scheme + std::string(rest);
  const auto colon = rest.find(':');
  if (colon == std::string_view::npos || colon > at) return scheme + std::string(rest);
  return fmt::format("{}{}:…{}", scheme, rest.substr(0, colon), rest.substr(at));
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
