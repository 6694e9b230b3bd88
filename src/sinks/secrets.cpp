#include "sinks/secrets.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "sinks/address.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kLongestSecret = 4096;
constexpr std::size_t kShortestSecret = 4;

// In a header, an SMTP command or a URL nothing else has a place; a line end would begin a header of its own.
bool is_plain(std::string_view secret) {
  return std::ranges::none_of(secret, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

}  // namespace

Result<std::string> Secrets::read(const SinkSettings& sink, std::string_view what, const std::string& file,
                                  const std::string& variable) const {
  std::string text;
  std::string place;
  if (!file.empty()) {
    place = file;
    auto content = files_.read(file);
    if (!content) {
      return fail(content.error().code,
                  fmt::format("the {} of the sink {} cannot be read: {}", what, sink.name, content.error().message));
    }
    text = trim(content->substr(0, content->find('\n')));
  } else if (!variable.empty()) {
    place = "the environment variable " + variable;
    const auto value = environment_(variable);
    if (!value)
      return fail(Errc::not_found, fmt::format("the {} of the sink {}: {} is not set", what, sink.name, place));
    text = trim(*value);
  } else {
    return text;
  }
  if (text.empty())
    return fail(Errc::not_found, fmt::format("the {} of the sink {}: {} is empty", what, sink.name, place));
  if (text.size() > kLongestSecret || !is_plain(text)) {
    return fail(
        Errc::unavailable,
        fmt::format("the {} of the sink {}: {} must hold one line of at most {} bytes without control characters", what,
                    sink.name, place, kLongestSecret));
  }
  return text;
}

Result<std::string> Secrets::url(const SinkSettings& sink, std::string_view usual) const {
  if (sink.url_file.empty() && sink.url_env.empty()) return sink.url.empty() ? std::string(usual) : sink.url;
  auto url = read(sink, "address", sink.url_file, sink.url_env);
  if (!url) return url;
  if (const auto refusal = refusal_of_address(sink, *url)) {
    return fail(Errc::unavailable, fmt::format("the address of the sink {} will not do: {}", sink.name, *refusal));
  }
  return url;
}

Result<std::string> Secrets::token(const SinkSettings& sink) const {
  return read(sink, "token", sink.token_file, sink.token_env);
}

Result<std::string> Secrets::password(const SinkSettings& sink) const {
  return read(sink, "password", sink.password_file, sink.password_env);
}

std::string without_secrets(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() < kShortestSecret) continue;
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), "…");
      at += std::string_view("…").size();
    }
  }
  return text;
}

}  // namespace gpukeeper
