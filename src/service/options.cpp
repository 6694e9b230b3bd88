#include "service/options.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "auth/token_file.hpp"

namespace gpukeeper::service {
namespace {

std::chrono::milliseconds milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::round<std::chrono::milliseconds>(time);
}

}  // namespace

LogTargetOptions log_target_options(const config::LogSettings& settings, bool journal) {
  return {.file = settings.file.value_or(""),
          .format = settings.format,
          .rotate_size = settings.rotate_size,
          .rotate_keep = settings.rotate_keep,
          .journal = journal};
}

HttpServerOptions http_options(const config::HttpSettings& settings) {
  HttpServerOptions options;
  options.connections = settings.connections;
  options.request = milliseconds(settings.request_timeout);
  options.answer = milliseconds(settings.answer_timeout);
  options.idle = milliseconds(settings.idle_timeout);
  return options;
}

Result<void> check_listen(const config::Settings& settings, const std::string& state_directory) {
  const auto open = std::ranges::find_if_not(settings.listen, &ListenAddress::is_local);
  if (open == settings.listen.end() || settings.insecure_listen) return {};
  Result<std::vector<auth::Token>> tokens;
  if (!state_directory.empty()) tokens = auth::TokenFile(state_directory).read();
  if (!tokens) return tl::make_unexpected(tokens.error());
  if (!tokens->empty()) return {};
  return fail(
      Errc::invalid_argument,
      fmt::format("listen on {}: other machines reach that address, and there is no token to know them by: make "
                  "one with 'gpukeeper token create', listen on 127.0.0.1, or consent with --insecure-listen",
                  open->to_string()));
}

std::vector<ListenAddress> default_listen(const Variable& environment, uid_t user) {
  std::vector<ListenAddress> result;
  const auto runtime = environment("RUNTIME_DIRECTORY");
  const auto session = environment("XDG_RUNTIME_DIR");
  std::string folder;
  if (runtime && !runtime->empty()) {
    folder = runtime->substr(0, runtime->find(':'));  // systemd.exec(5): several are separated by colons
  } else if (user == 0) {
    folder = "/run/gpukeeper";
  } else if (session && !session->empty()) {
    folder = *session;
  }
  if (!folder.empty()) result.push_back({.path = folder + "/gpukeeper.sock", .host = {}});
  result.push_back({.path = {}, .host = "127.0.0.1", .port = kDefaultPort});
  return result;
}

}  // namespace gpukeeper::service
