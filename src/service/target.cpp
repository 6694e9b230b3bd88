#include "service/target.hpp"

#include <optional>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::service {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Nothing for a '%' that two hexadecimal digits do not follow, and for a NUL, which no name of ours has.
std::optional<std::string> decoded(std::string_view text, bool plus_is_blank) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += plus_is_blank && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

Result<void> read_query(std::string_view text, Target& target) {
  if (text.empty()) return {};
  for (const std::string_view piece : split(text, '&')) {
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    const auto name = decoded(piece.substr(0, equals), true);
    const auto value = decoded(equals == piece.npos ? "" : piece.substr(equals + 1), true);
    if (!name || !value) return fail(Errc::invalid_argument, "the query has a '%' that begins no encoded byte");
    if (!target.query.emplace(*name, *value).second) {
      return fail(Errc::invalid_argument, fmt::format("'{}' stands twice in the query", *name));
    }
  }
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  Target result;
  if (target == "*") {
    result.path = "*";
    return result;
  }
  constexpr std::string_view kScheme = "http://";
  if (target.starts_with(kScheme)) {
    target.remove_prefix(kScheme.size());
    const auto end = std::min(target.find_first_of("/?"), target.size());
    result.authority = target.substr(0, end);
    target.remove_prefix(end);
    if (result.authority.empty()) return fail(Errc::invalid_argument, "the target names no host after http://");
  } else if (!target.starts_with('/')) {
    return fail(Errc::invalid_argument, "the target must be a path that begins with '/'");
  }
  target = target.substr(0, target.find('#'));
  const auto question = target.find('?');
  const auto path = decoded(target.substr(0, question), false);
  if (!path) return fail(Errc::invalid_argument, "the path has a '%' that begins no encoded byte");
  result.path = path->empty() ? "/" : *path;
  if (question != target.npos) {
    if (auto read = read_query(target.substr(question + 1), result); !read) return tl::make_unexpected(read.error());
  }
  return result;
}

}  // namespace gpukeeper::service
