#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "postgres/connection.hpp"
#include "postgres/schema.hpp"
#include "postgres/spool.hpp"
#include "telemetry/export_status.hpp"

namespace gpukeeper::postgres {

struct WriterOptions {
  std::string host;                              ///< the name of this machine there
  std::string stream;                            ///< as in Wishes
  std::vector<std::string> metrics;              ///< of the spool's rows, in their order
  std::optional<std::chrono::nanoseconds> keep;  ///< nothing: for ever
  std::uint32_t seed = 0;                        ///< of the pauses after failures
};

/// Takes what waits in a spool into the database, in batches.
///
/// A batch is one transaction, which also notes in the table `writer` how far this run of gpukeeper has come. Where the
/// answer to a COMMIT is lost, the next attempt asks there what became of it, behind the lock of that row, so that a
/// batch that a slow server is still at is waited for: nothing is written twice.
///
/// Threads: work() belongs to one; status() may be called from any.
class DatabaseWriter {
 public:
  static constexpr std::chrono::seconds kFirstPause{1};
  static constexpr std::chrono::seconds kLongestPause{60};
  static constexpr std::chrono::hours kMaintenance{6};              ///< between looks at partitions and what is too old
  static constexpr std::size_t kBatchBytes = std::size_t{1} << 20;  ///< of the spool, in one transaction

  DatabaseWriter(WriterOptions options, Connector& connector, Spool& spool, const Clock& clock, Log& log);

  /// Writes until nothing waits or something fails. Answers how long to wait for the next attempt; nothing: until
  /// something is put into the spool.
  std::optional<std::chrono::nanoseconds> work(const std::stop_token& stop);

  /// Hangs up. What was not written is said in the log.
  void end();

  ExportStatus status() const;

 private:
  using Batch = Spool::Batch;
  struct KnownDevice {
    std::string id;
    std::shared_ptr<const Device> device;
    std::uint32_t index = 0;
    std::optional<std::uint32_t> partition_index;

    bool is_same(const ReadingRow& row) const {
      return device == row.device && index == row.index && partition_index == row.partition_index;
    }
  };

  Result<void> write_some(const std::stop_token& stop);
  void done(std::uint64_t number);
  Result<void> be_connected(const std::stop_token& stop);
  Result<void> maintain();
  Result<void> prepare_for(WallTime oldest);
  Batch without_misfits(const Batch& batch);
  Result<void> write(const Batch& batch);
  Result<std::string> lines_of(const Batch& batch, std::uint64_t after);
  Result<std::string> id_of(const ReadingRow& row);
  void succeeded(const Batch& batch);
  void failed(const Error& error);
  void give_up(const Batch& batch, std::string_view why);

  const WriterOptions options_;
  Connector& connector_;
  Spool& spool_;
  const Clock& clock_;
  Log& log_;

  std::unique_ptr<Connection> connection_;  // null: not connected
  Prepared prepared_;
  std::map<std::string, KnownDevice> devices_;  // by UUID; of this connection
  MonotonicTime next_maintenance_{};
  MonotonicTime next_attempt_{};
  std::uint64_t rows_in_batch_ = 0;
  std::optional<std::uint64_t> one_by_one_until_;  // something of what comes until then was refused
  std::uint64_t last_misfit_ = 0;                  // its number
  int failures_ = 0;                               // in a row
  std::mt19937 random_;

  mutable std::mutex mutex_;
  ExportStatus status_;  // guarded by mutex_
};

}  // namespace gpukeeper::postgres
