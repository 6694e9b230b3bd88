#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>

#include "sinks/sink.hpp"
#include "sinks/sink_queue.hpp"
#include "sinks/sink_status.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Sends what waits for one sink, one after the other: tries again what fails, with pauses that grow, so that the order
/// stays and a receiver that is down is not run over when it is back.
///
/// Threads: work() belongs to one; status() may be called from any.
class SinkWorker {
 public:
  static constexpr std::chrono::seconds kFirstPause{1};
  static constexpr std::chrono::seconds kLongestPause{300};
  static constexpr std::chrono::hours kGiveUpAfter{24};  ///< an alert of the day before is history, no alarm

  /// The latest snapshot, with all alerts there are; never null.
  using Latest = std::function<std::shared_ptr<const Snapshot>()>;

  SinkWorker(SinkSettings settings, std::unique_ptr<Sink> sink, SinkQueue& queue, const SinkWorld& world, Latest latest,
             std::string host, std::uint32_t seed);

  /// Makes the attempts that are due, until one fails or nothing waits. Answers how long to wait for the next one;
  /// nothing: until something is put into the queue.
  std::optional<std::chrono::nanoseconds> work(const std::stop_token& stop);

  SinkStatus status() const;

 private:
  AlertNotice labelled(AlertNotice notice) const;
  bool attempt(const WaitingNotice& waiting, const std::stop_token& stop);
  void succeeded();
  void failed(const std::string& error);
  void gave_up(const WaitingNotice& waiting, std::string_view why);
  void remind(const std::stop_token& stop);
  void say_what_was_dropped();

  const SinkSettings settings_;
  const AlertNotice::Labels labels_;
  const std::unique_ptr<Sink> sink_;
  SinkQueue& queue_;
  const Clock& clock_;
  Log& log_;
  const Latest latest_;
  const std::string host_;

  std::mt19937 random_;
  int failures_ = 0;  // in a row
  MonotonicTime next_attempt_{};
  MonotonicTime next_reminder_{};
  std::uint64_t dropped_said_ = 0;

  mutable std::mutex mutex_;
  SinkStatus status_;  // guarded by mutex_
};

}  // namespace gpukeeper
