#include "service/options.hpp"

#include <chrono>

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
