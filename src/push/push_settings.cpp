#include "push/push_settings.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "sinks/address.hpp"

namespace gpukeeper::push {
namespace {

bool is_label_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && is_letter(name.front()) && !name.starts_with("__") &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_digit(c); });
}

bool is_header(std::string_view header) {
  const auto colon = header.find(':');
  const auto is_wrong = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
  return colon != std::string_view::npos && colon > 0 && header.substr(0, colon).find(' ') == std::string_view::npos &&
         std::ranges::none_of(header, is_wrong);
}

// Whether what stands behind that name is a key to something: "Authorization", "X-Api-Key", "X-Scope-OrgID" is none.
bool is_secret(std::string_view header) {
  constexpr std::array<std::string_view, 6> kWords = {"authorization", "cookie", "key", "password", "secret", "token"};
  const std::string name = to_lower(header.substr(0, header.find(':')));
  return std::ranges::any_of(kWords, [&](std::string_view word) { return name.find(word) != std::string::npos; });
}

// Why the headers must not be sent to that address; nothing when they may.
std::optional<std::string> refusal_of_headers(const PushSettings& settings) {
  const auto address = parse_address(settings.url);
  if (!address || address->scheme != "http" || address->is_this_machine()) return std::nullopt;
  const auto secret = std::ranges::find_if(settings.headers, is_secret);
  if (secret == settings.headers.end()) return std::nullopt;
  return fmt::format("the header {} must not travel in the open to another machine: use https://",
                     harmless(secret->substr(0, secret->find(':'))));
}

}  // namespace

SinkSettings as_sink(std::string name, const PushSettings& settings) {
  return {.name = std::move(name),
          .kind = SinkKind::webhook,
          .url = settings.url,
          .token_file = settings.token_file,
          .user = settings.user,
          .password_file = settings.password_file};
}

std::vector<std::string> check(std::string_view section, const PushSettings& settings) {
  std::vector<std::string> found;
  const auto say = [&](std::string_view key, std::string_view what) {
    found.push_back(fmt::format("{}.{}: {}", section, key, what));
  };
  if (settings.on()) {
    if (const auto refusal = refusal_of_address(as_sink("", settings), settings.url)) say("url", *refusal);
    if (const auto refusal = refusal_of_headers(settings)) say("url", *refusal);
  }
  if (settings.user.empty() != settings.password_file.empty()) say("user", "user and password_file belong together");
  for (const auto& [key, path] :
       {std::pair("token_file", &settings.token_file), std::pair("password_file", &settings.password_file),
        std::pair("ca_file", &settings.ca_file)}) {
    if (!path->empty() && !path->starts_with('/')) say(key, "it must be the whole path of a file, from / on");
  }
  for (const std::string& header : settings.headers) {
    if (!is_header(header)) say("headers", "each must be like 'X-Scope-OrgID: team'");
  }
  for (const std::string& label : settings.labels) {
    const auto equals = label.find('=');
    if (equals == std::string::npos || !is_label_name(std::string_view(label).substr(0, equals))) {
      say("labels", fmt::format("'{}' is not name=value, such as cluster=a", label));
    }
  }
  return found;
}

std::vector<std::string> check_remote_write(const PushSettings& settings) {
#ifndef GPUKEEPER_REMOTE_WRITE
  if (settings.on()) {
    return {
        "remote_write.url: this gpukeeper was built without remote-write, as libprotobuf-dev, protobuf-compiler and "
        "libsnappy-dev were not there; use otlp.url, or build it with them"};
  }
#endif
  return check("remote_write", settings);
}

std::string published_url(const PushSettings& settings) {
  return settings.url.empty() ? "" : shown_url(settings.url);
}

std::vector<std::string> published_headers(const PushSettings& settings) {
  std::vector<std::string> names;
  for (const std::string& header : settings.headers) names.push_back(header.substr(0, header.find(':')) + ": …");
  return names;
}

}  // namespace gpukeeper::push
