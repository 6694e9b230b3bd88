#include "service/options.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "auth/token_file.hpp"
#include "config/door.hpp"
#include "service/live_tls.hpp"

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
  options.limits = {.head = settings.head_size.value(), .body = settings.body_size.value()};
  options.connections = settings.connections;
  options.per_peer = settings.connections_per_peer.value_or(std::max<std::size_t>(1, settings.connections / 8 * 7));
  options.slowest = settings.slowest.value();
  options.request = milliseconds(settings.request_timeout);
  options.answer = milliseconds(settings.answer_timeout);
  options.handshake = options.request;
  options.idle = milliseconds(settings.idle_timeout);
  return options;
}

Result<void> check_listen(const config::Settings& settings, const std::string& state_directory) {
  const bool knows_certificates = !settings.auth.certificates.empty();
  const auto open = std::ranges::find_if(settings.listen, [&](const ListenAddress& address) {
    return !address.is_local() && !(address.tls && knows_certificates);
  });
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

Result<void> check_tls(const config::Settings& settings, const Files& files) {
  if (!config::listens_with_tls(settings)) return {};
  if (!settings.tls.certificate || !settings.tls.key) {
    return fail(Errc::invalid_argument,
                "TLS takes a certificate: name its file with tls.certificate, and that of its "
                "key with tls.key");
  }
  const auto material = read_tls(settings.tls, files);
  if (!material) return tl::make_unexpected(material.error());
  const auto context = TlsContext::make(*material);
  if (!context) return tl::make_unexpected(context.error());
  return {};
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
