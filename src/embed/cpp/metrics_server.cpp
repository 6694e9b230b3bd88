#include "gpukeeper/metrics_server.hpp"

#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/listen_address.hpp"
#include "embed/no_signals.hpp"
#include "embed/quiet_log.hpp"
#include "prometheus/exposition.hpp"
#include "service/http_server.hpp"
#include "service/listener.hpp"

namespace gpukeeper {
inline namespace v0 {
namespace {

using service::Request;
using service::Response;

Response metrics(const MetricsServer::Answer& answer) {
  std::string text;
  if (!answer(text)) return service::problem(503, "unavailable", text);
  Response response;
  response.content_type = prometheus::content_type(prometheus::Syntax::text);
  response.body = std::make_shared<const std::string>(std::move(text));
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

Response answered(const Request& request, const MetricsServer::Answer& answer) {
  if (request.path != "/metrics" && request.path != "/health") {
    return service::problem(404, "not_found", "there are /metrics and /health");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    Response response = service::problem(405, "method_not_allowed", "this is read: GET");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  if (request.path == "/health") return service::json_answer(200, R"({"status":"ok"})");
  return metrics(answer);
}

}  // namespace

struct MetricsServer::Implementation {
  explicit Implementation(Answer given)
      : answer(std::move(given)),
        http([this](const Request& request) { return answered(request, answer); }, clock, log) {}
  ~Implementation() { http.stop(); }

  const Answer answer;
  SystemClock clock;
  Log log{clock, std::make_shared<embed::QuietLog>()};
  service::HttpServer http;
  std::uint16_t port = 0;
  std::jthread thread;  // joined first: it runs http
};

MetricsServer::MetricsServer() = default;
MetricsServer::~MetricsServer() = default;

std::string MetricsServer::start(const std::string& address, Answer answer) {
  auto parsed = parse_listen_address(address);
  if (!parsed) return parsed.error().message;
  if (parsed->tls) return fmt::format("{}: metrics are served without TLS; a proxy can add it", address);
  auto listener = service::Listener::open(*parsed);
  if (!listener) return listener.error().message;
  auto next = std::make_unique<Implementation>(std::move(answer));
  next->port = listener->address().port;
  next->http.add(std::move(*listener));
  const embed::NoSignals inherited;
  next->thread = std::jthread([&http = next->http] { http.run(); });
  implementation_ = std::move(next);
  return {};
}

void MetricsServer::stop() {
  implementation_.reset();
}

std::uint16_t MetricsServer::port() const {
  return implementation_ ? implementation_->port : 0;
}

}  // namespace v0
}  // namespace gpukeeper
