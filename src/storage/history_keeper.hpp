#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "storage/history_file.hpp"
#include "storage/history_reader.hpp"
#include "telemetry/older_history.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Copies what a History holds in memory to `history.db`, a batch at a time, so that it outlives the process; sums it
/// up and drops what is too old or too much. And reads it again.
///
/// The history in memory is what waits to be written: on a full disk the sampler goes on, and when there is room again
/// everything is written that memory still holds. A damaged file is moved aside, and one that was removed begun anew.
///
/// Dates are those of the clock on the wall as it stood when a batch was written: nothing is dated anew when somebody
/// sets that clock. By age nothing is dropped until it has gone right for kTrusted, so that a moment of a wrong date
/// costs nothing.
///
/// Threads: step() belongs to one, that of start() where it was called; all else may be called from any.
class HistoryKeeper final : public OlderHistory {
 public:
  explicit HistoryKeeper(HistoryStoreSettings settings);
  ~HistoryKeeper() override;
  HistoryKeeper(const HistoryKeeper&) = delete;
  HistoryKeeper& operator=(const HistoryKeeper&) = delete;

  /// Keeps it in that folder from now on. Once.
  void open(const std::string& folder);

  /// Begins the thread, which steps when a batch is due; not after ask_to_stop(). Once, after open().
  void start();

  /// What is to be kept; null for nothing new. It is held from then on.
  void remember(std::shared_ptr<const History> history);

  /// Only hands it over. From the sampler's thread.
  void see(const std::shared_ptr<const Snapshot>& snapshot);

  /// New settings, valid ones, from now on.
  void configure(const HistoryStoreSettings& settings);

  /// The whole behaviour: what is due is written, summed up and dropped. With `everything` what was measured since the
  /// last batch, too. Nothing when all went well, else how long to wait before the next attempt.
  std::optional<std::chrono::nanoseconds> step(bool everything = false);

  /// Why the history is not kept, a sentence; empty when all is well.
  std::string trouble() const;

  /// What its operator should know once, such as that a damaged file was moved aside; empty the next time.
  std::string take_notice();

  /// Writes what was measured since the last batch, and ends the thread; it may be waiting for a disk.
  void ask_to_stop();
  /// Whether there is no thread any more, or never was one.
  bool ended() const { return !runs_; }

  Result<void> read(const Query& query, const Take& take) const override;
  std::optional<WallTime> oldest() const override;

  static constexpr const char* kFileName = "history.db";
  static constexpr std::chrono::hours kTrusted{1};
  static constexpr std::chrono::seconds kFirstPause{1};
  static constexpr std::chrono::seconds kLongestPause{60};

 private:
  using Outcome = sqlite::Outcome<void>;

  std::optional<std::chrono::nanoseconds> failed(const sqlite::Failure& failure);
  Outcome make_ready();
  void note_devices(const Snapshot& snapshot);
  std::set<DeviceId> devices() const;
  WallTime kept_since() const;
  Outcome write(const History& history, const History::Now& now, MonotonicTime until);
  Outcome look_after(const HistoryStoreSettings& settings, const History::Now& now);
  void follow(const History::Now& now);
  void begin_anew(const std::string& why);
  void note(std::string notice);
  std::shared_ptr<const history_file::HistoryReader> reader() const;
  bool is_due() const;
  void run(const std::stop_token& stop);

  const std::int64_t run_;  // of this process, as blocks have it

  // Of the thread that steps.
  std::unique_ptr<history_file::HistoryFile> file_;  // null until open()
  std::optional<MonotonicTime> written_;             // what was measured before is in the file
  std::optional<std::chrono::nanoseconds> offset_;   // between the clocks, at the last step
  MonotonicTime right_since_{};                      // the clock on the wall was not set since
  std::optional<WallTime> looked_after_;             // in which hour
  int failures_ = 0;                                 // in a row

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  HistoryStoreSettings settings_;           // guarded by mutex_, as all below
  std::shared_ptr<const History> history_;  // null until it is known
  bool set_ = false;                        // since the last step
  std::shared_ptr<const Snapshot> latest_;  // null before the first
  std::set<DeviceId> devices_;              // that this process has seen
  std::optional<WallTime> seen_;            // its batch
  std::optional<WallTime> done_;            // the batch up to which it was written
  std::string trouble_;
  std::string notice_;
  mutable std::string damage_;  // that a reader found
  std::shared_ptr<const history_file::HistoryReader> reader_;
  std::stop_source stop_;
  std::atomic<bool> runs_ = false;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace gpukeeper
