#include "embed/metrics_server.hpp"

#include <utility>

#include "core/listen_address.hpp"
#include "embed/no_signals.hpp"
#include "service/listener.hpp"

namespace gpukeeper::embed {

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const std::string& address,
                                                            std::vector<service::Route> routes, Clock& clock,
                                                            Log& log) {
  const auto parsed = parse_listen_address(address);
  if (!parsed) return tl::make_unexpected(parsed.error());
  if (parsed->tls || parsed->is_unix()) {
    return fail(Errc::invalid_argument,
                "metrics are served over plain TCP, as in \"127.0.0.1:9090\"; 'gpukeeper serve' does more");
  }
  auto listener = service::Listener::open(*parsed);
  if (!listener) return tl::make_unexpected(listener.error());
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(*listener), std::move(routes), clock, log));
}

MetricsServer::MetricsServer(service::Listener listener, std::vector<service::Route> routes, Clock& clock, Log& log)
    : port_(listener.address().port),
      router_(std::move(routes)),
      server_(
          [this](service::Request request) {
            request.who = {.role = auth::Role::viewer, .name = request.peer->address};
            return router_.answer(std::move(request));
          },
          clock, log) {
  server_.add(std::move(listener));
  const NoSignals it_gets_none;
  thread_ = std::jthread([this] { server_.run(); });
}

MetricsServer::~MetricsServer() {
  server_.stop();
}

}  // namespace gpukeeper::embed
