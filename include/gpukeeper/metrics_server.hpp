#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "gpukeeper/export.hpp"

namespace gpukeeper {
inline namespace v0 {

/// Answers GET /metrics and /health over HTTP, on a thread of its own; what PrometheusExporter stands on.
///
/// Threads: one at a time.
class GPUKEEPER_API MetricsServer {
 public:
  /// Puts the metrics into `text` and answers true; or why there are none, which makes a 503, and false. It runs on the
  /// server's thread and must not throw.
  using Answer = std::function<bool(std::string& text)>;

  MetricsServer();
  ~MetricsServer();  ///< stops it
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  /// At "127.0.0.1:9090", or "[::1]:0" for any port. What was wrong; empty when it runs.
  [[nodiscard]] std::string start(const std::string& address, Answer answer);
  void stop();

  std::uint16_t port() const;  ///< 0 while it does not run

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace v0
}  // namespace gpukeeper
