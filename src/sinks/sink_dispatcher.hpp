#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "policy/andon/alert_listener.hpp"
#include "sinks/sink_worker.hpp"
#include "sinks/spool_writer.hpp"

namespace gpukeeper {

struct SinkDispatcherOptions {
  std::string folder;  ///< for what waits, one file a sink; must be there. Empty: in memory only
  std::string host;    ///< this machine's name
  /// For receivers that must be told again and again.
  SinkWorker::Latest latest = [] { return std::make_shared<const Snapshot>(); };
};

/// Brings what Andon tells to all sinks.
///
/// Each sink has a thread of its own that sends, so that one that is slow or dead harms no other; one more thread
/// writes what waits to the disk. Whoever tells something waits for none of them.
///
/// Threads: start(), begin_stop() and stop() belong to one; all else may be called from any.
class SinkDispatcher final : public AlertListener {
 public:
  /// Reads what waited when the last process ended. The settings must have passed check(); `world` must outlive this.
  SinkDispatcher(const SinkList& sinks, const SinkWorld& world, SinkDispatcherOptions options);

  /// stop()
  ~SinkDispatcher() override;
  SinkDispatcher(const SinkDispatcher&) = delete;
  SinkDispatcher& operator=(const SinkDispatcher&) = delete;

  void alerts_changed(const std::vector<AlertChange>& changes) override;

  /// Begins to send; what was told before waits until then.
  void start();

  /// Begins to end what is being sent and to keep what waits; returns at once. What is told after it is lost.
  void begin_stop();
  /// Whether that is done: nothing is sent and `latest` is not asked any more.
  bool ended() const { return ended_; }
  /// begin_stop(), and waits until it is done: as long as the disk takes.
  void stop();

  /// In the order of the settings, without sinks that are not enabled.
  std::vector<SinkStatus> status() const;

 private:
  struct Lane;  // all that belongs to one sink

  void keep(const std::stop_token& stop);
  void close();

  const SinkWorld& world_;
  const SinkDispatcherOptions options_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool to_keep_ = false;  // guarded by mutex_
  std::atomic<bool> ended_ = false;
  std::jthread keeper_;  // last, as it uses all of the above
  std::jthread closer_;  // and it
};

/// A notice that is no alert, for somebody who tries whether they arrive.
AlertNotice test_notice(const std::string& host, WallTime now);

}  // namespace gpukeeper
