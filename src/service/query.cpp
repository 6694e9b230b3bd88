#include "service/query.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::size_t kMostNames = 64;       // in a list
constexpr std::size_t kLongestCursor = 512;  // bytes; ours are shorter
constexpr std::string_view kHex = "0123456789abcdef";

auto wrong(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

// Hexadecimal, so that it stands in a target as it is. That it means nothing to a client is the point.
std::string sealed(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    result += {kHex[byte >> 4U], kHex[byte & 15U]};
  }
  return result;
}

std::optional<std::string> opened(std::string_view cursor) {
  if (cursor.size() > kLongestCursor || cursor.size() % 2 != 0) return std::nullopt;
  std::string result;
  for (std::size_t i = 0; i < cursor.size(); i += 2) {
    const auto high = kHex.find(cursor[i]);
    const auto low = kHex.find(cursor[i + 1]);
    if (high == kHex.npos || low == kHex.npos) return std::nullopt;
    result += static_cast<char>(high * 16 + low);
  }
  return result;
}

bool stands_for_itself(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~' || c == '/';
}

std::string encoded(std::string_view text) {
  std::string result;
  for (const char c : text) result += stands_for_itself(c) ? std::string(1, c) : "%" + sealed({&c, 1});
  return result;
}

}  // namespace

Result<void> check_parameters(const Request& request, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : request.query) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string given = fit(harmless(name), 60);
    if (known.size() == 0) return wrong(fmt::format("there is no parameter '{}' here: there are none", given));
    return wrong(fmt::format("there is no parameter '{}' here: there are {}", given, fmt::join(known, ", ")));
  }
  return {};
}

std::optional<std::string> parameter(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() || found->second.empty() ? std::nullopt : std::optional(found->second);
}

Result<std::vector<std::string>> list_parameter(const Request& request, const std::string& name) {
  const std::string list = parameter(request, name).value_or("");
  std::vector<std::string> values;
  for (const auto piece : split(list, ',')) {
    if (!trim(piece).empty()) values.emplace_back(trim(piece));
  }
  if (values.size() > kMostNames) return wrong(fmt::format("{} takes at most {} names", name, kMostNames));
  return values;
}

Result<PageWish> page_wish(const Request& request, std::string_view list, std::size_t most) {
  PageWish wish;
  if (const auto text = parameter(request, "limit")) {
    const auto limit = parse_u64(*text);
    if (!limit || *limit < 1 || *limit > most) {
      return wrong(fmt::format("limit takes a whole number from 1 to {}, not '{}'", most, fit(harmless(*text), 40)));
    }
    wish.limit = static_cast<std::size_t>(*limit);
  }
  if (const auto text = parameter(request, "cursor")) {
    auto key = opened(*text);
    const std::string head = std::string(list) + ':';
    if (!key || !key->starts_with(head)) {
      return wrong(
          "the cursor is none of this list's: take it as it stands in the Link of the page before, or leave "
          "it out to begin anew");
    }
    wish.after = key->substr(head.size());
  }
  return wish;
}

void link_next(Response& response, const Request& request, std::string_view list, std::string_view key) {
  std::string target = encoded(request.path) + "?";
  for (const auto& [name, value] : request.query) {
    if (name != "cursor") target += fmt::format("{}={}&", encoded(name), encoded(value));
  }
  target += "cursor=" + sealed(fmt::format("{}:{}", list, key));
  response.headers.emplace_back("Link", fmt::format("<{}>; rel=\"next\"", target));
}

Response refused_query(const Error& error) {
  const std::string detail = harmless(error.message);
  if (error.code == Errc::not_found) return problem(404, "not_found", detail);
  if (error.code == Errc::invalid_argument) return problem(400, "bad_parameter", detail);
  return starting();
}

}  // namespace gpukeeper::service
