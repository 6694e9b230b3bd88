#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "service/http_server.hpp"
#include "service/router.hpp"

namespace gpukeeper::embed {

/// Serves /metrics, /health and /ready to whoever comes, on a thread of its own.
class MetricsServer {
 public:
  /// `address`: "127.0.0.1:9090"; port 0 takes any. Clock and log outlive it, as does all that the routes use.
  /// Errors: those of parse_listen_address and Listener::open.
  static Result<std::unique_ptr<MetricsServer>> start(const std::string& address, std::vector<service::Route> routes,
                                                      Clock& clock, Log& log);
  /// Answers what has come, and waits for that no longer than a second and a half.
  ~MetricsServer();

  std::uint16_t port() const { return port_; }

 private:
  MetricsServer(service::Listener listener, std::vector<service::Route> routes, Clock& clock, Log& log);

  const std::uint16_t port_;
  const service::Router router_;
  service::HttpServer server_;
  std::jthread thread_;  // last: it uses all of the others
};

}  // namespace gpukeeper::embed
