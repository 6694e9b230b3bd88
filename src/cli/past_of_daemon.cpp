#include "cli/past_of_daemon.hpp"

#include <fmt/format.h>

#include "client/daemon.hpp"

namespace gpukeeper::cli {
namespace {

bool needs_no_code(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~:,").find(c) != std::string_view::npos;
}

}  // namespace

std::string target_of(std::string_view path, const std::vector<std::pair<std::string_view, std::string>>& parameters) {
  std::string target(path);
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    target += fmt::format("{}{}=", separator, name);
    for (const char c : value) {
      target += needs_no_code(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    separator = '&';
  }
  return target;
}

Result<std::optional<std::string>> ask_daemon(const std::string& target, const std::string& named, Context& context) {
  const auto daemon = client::Daemon::find(named, context.environment);
  if (!daemon) {
    if (client::Daemon::is_named(named, context.environment) || daemon.error().code == Errc::invalid_argument)
      return tl::make_unexpected(daemon.error());
    if (daemon.error().code != Errc::not_found) context.remark(daemon.error().message);
    return std::nullopt;
  }
  auto answer = daemon->ask("GET", target);
  if (!answer) {
    const Error& error = answer.error();
    const bool hangs = error.code == Errc::deadline_exceeded || error.code == Errc::unavailable;
    if (!hangs || client::Daemon::is_named(named, context.environment)) return tl::make_unexpected(error);
    context.remark(error.message + "; the GPUs are looked at without it");
    return std::nullopt;
  }
  return std::optional(std::move(*answer));
}

}  // namespace gpukeeper::cli
