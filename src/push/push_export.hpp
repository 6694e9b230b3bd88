#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "push/pusher.hpp"
#include "sinks/curl_transport.hpp"

namespace gpukeeper::push {

/// A pusher and its thread.
/// Threads: every member may be called from any, but for begin_stop() and ended(), which belong to one.
class PushExport {
 public:
  static constexpr std::chrono::milliseconds kStopPatience{500};  ///< of what is being sent when it is to end

  /// Begins. `log` outlives this. `metrics`: as in Pusher::World.
  PushExport(PushSettings settings, std::string host, Protocol protocol, Secrets::Environment environment, Log& log,
             std::function<std::string()> metrics);
  ~PushExport();
  PushExport(const PushExport&) = delete;
  PushExport& operator=(const PushExport&) = delete;

  ExportStatus status() const { return pusher_.status(); }
  void begin_stop();
  /// To be asked until it is true: what takes too long is broken off here.
  bool ended();

 private:
  void run(const std::stop_token& stop);

  const RealFiles files_;
  const Secrets secrets_;
  SystemClock clock_;  // whatever time devices are played in: receivers live in this one
  CurlTransport transport_;
  Pusher pusher_;
  std::stop_source broken_off_;
  MonotonicTime stop_by_{};
  std::atomic<bool> ended_ = false;
  std::jthread thread_;  // last: it uses all of the others
};

}  // namespace gpukeeper::push
