#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "postgres/database_settings.hpp"
#include "postgres/database_writer.hpp"
#include "postgres/spool.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::postgres {

/// Takes readings into a PostgreSQL database, on a thread of its own.
///
/// Threads: see() belongs to one, the sampler's, and waits for nobody; the others may be called from any.
class DatabaseExport {
 public:
  /// How long what is being written may take once it is to end.
  static constexpr std::chrono::milliseconds kStopPatience{800};

  /// Begins. `settings` must be on(). `log` and the connector outlive this; `host`: that of the machine, where the
  /// settings name none.
  DatabaseExport(const DatabaseSettings& settings, std::string host, std::unique_ptr<Connector> connector, Log& log);
  ~DatabaseExport();
  DatabaseExport(const DatabaseExport&) = delete;
  DatabaseExport& operator=(const DatabaseExport&) = delete;

  /// Keeps the readings, as often as is set. Not those of a recording: they have been there.
  void see(const Snapshot& snapshot);

  ExportStatus status() const { return writer_.status(); }

  void begin_stop();

  /// Whether the thread has ended. To be asked until it has: what takes too long is broken off here.
  bool ended();

 private:
  void run(const std::stop_token& stop);

  const std::chrono::nanoseconds interval_;
  const std::vector<const MetricRow*> metrics_;
  const std::unique_ptr<Connector> connector_;
  SystemClock clock_;  // whatever time devices are played in: the database lives in this one
  Spool spool_;
  DatabaseWriter writer_;
  std::optional<MonotonicTime> due_;  // of see(), as the next
  WrittenReadings written_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool came_ = false;  // guarded by mutex_
  std::stop_source broken_off_;
  MonotonicTime stop_by_{};
  std::atomic<bool> ended_ = false;
  std::jthread thread_;  // last: it uses all of the others
};

/// The metrics of these names, in their order; without those that are none.
std::vector<const MetricRow*> rows_of(const std::vector<std::string>& names);

/// A name that no other run of gpukeeper has.
std::string new_stream();

}  // namespace gpukeeper::postgres
