#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "push/push_queue.hpp"
#include "push/push_settings.hpp"
#include "push/samples.hpp"
#include "sinks/secrets.hpp"
#include "sinks/transport.hpp"
#include "telemetry/export_status.hpp"

namespace gpukeeper::push {

/// How a kind of receiver wants it.
struct Protocol {
  std::string name;                  ///< "remote_write"
  std::vector<std::string> headers;  ///< of every request
  std::set<int> again;               ///< answers, beyond 5xx where all_5xx is, after which a request is sent again
  bool all_5xx = true;
  /// What is sent of the families at that time; none where they are empty. It may remember what it sent before.
  std::function<std::vector<Request>(const std::vector<Family>&, WallTime)> encode;
  /// Of a 2xx answer's body: how many samples were refused all the same, and why, or a remark on them all; null: never.
  std::function<std::pair<std::uint64_t, std::string>(const std::string&)> refused = nullptr;
};

/// Takes what /metrics says to a receiver, at a pace of its own. Requests wait, in order, until they arrive; what the
/// receiver will never take is dropped and counted.
///
/// Threads: step() belongs to one; status() may be called from any.
class Pusher {
 public:
  static constexpr std::chrono::seconds kFirstPause{1};
  static constexpr std::chrono::seconds kLongestPause{60};
  static constexpr std::chrono::seconds kMostPatience{600};  ///< of what a receiver asks for (Retry-After)

  struct World {
    Transport& transport;
    const Secrets& secrets;
    const Clock& clock;
    Log& log;
    std::function<std::string()> metrics;  ///< the text of /metrics; empty: nothing yet
  };

  Pusher(PushSettings settings, std::string host, Protocol protocol, World world, std::uint32_t seed);

  /// Looks, when that is due, and sends what may be sent. Answers when to be called again.
  MonotonicTime step(const std::stop_token& stop);

  /// What was not sent is said in the log.
  void end();

  ExportStatus status() const;

 private:
  bool collect();
  void send(const std::stop_token& stop);
  Result<HttpAnswer> attempt(const Request& request, const std::stop_token& stop);
  void judge(const HttpAnswer& answer);
  void succeeded(const HttpAnswer& answer);
  std::string remark_on(std::uint64_t refused, std::uint64_t samples, const std::string& reason);
  void failed(const std::string& error, std::optional<std::chrono::seconds> wanted);
  void give_up(const std::string& error);
  void note_queue();

  const PushSettings settings_;
  const std::vector<std::string> labels_;
  const Protocol protocol_;
  const World world_;
  PushQueue queue_;
  std::mt19937 random_;
  int failures_ = 0;  // in a row
  MonotonicTime next_look_{};
  MonotonicTime next_attempt_{};

  std::uint64_t dropped_noted_ = 0;  // of the queue
  std::string remarked_;             // by the receiver, on the latest request that it took

  mutable std::mutex mutex_;
  ExportStatus status_;  // guarded by mutex_
};

}  // namespace gpukeeper::push
