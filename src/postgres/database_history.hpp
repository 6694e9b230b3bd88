#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "postgres/connection.hpp"
#include "postgres/database_reader.hpp"
#include "telemetry/older_history.hpp"

namespace gpukeeper::postgres {

/// What a machine has written into a database, read for who does not want to wait: all of those who ask together wait
/// no longer than `patience`, and get that back as time goes by. Then, or where the database cannot be asked, they are
/// told why, at once and without an attempt until `rest` is over.
///
/// Rows bear the time of a clock that is put right now and then. So that what memory knows is not told twice, nothing
/// is told of the moment before that (kSeam).
///
/// Threads: read() and oldest() may be called from any. One thread of this talks to the database; where it hangs, who
/// waited for it does not.
class DatabaseHistory final : public OlderHistory {
 public:
  struct Options {
    std::string host;                                              ///< the name of the machine there
    std::chrono::milliseconds patience = std::chrono::seconds(2);  ///< a client of ours waits no longer than 5 s
    std::chrono::milliseconds rest = std::chrono::seconds(10);     ///< after a failure
    std::chrono::milliseconds hang_up = std::chrono::seconds(30);  ///< when nobody asks any more
  };

  static constexpr std::chrono::milliseconds kSeam{50};

  DatabaseHistory(Options options, std::unique_ptr<Connector> connector);
  ~DatabaseHistory() override;
  DatabaseHistory(const DatabaseHistory&) = delete;
  DatabaseHistory& operator=(const DatabaseHistory&) = delete;

  /// Errors: those of Connector and DatabaseReader; deadline_exceeded when it takes too long.
  Result<void> read(const Query& query, const Take& take) const override;
  std::optional<WallTime> oldest() const override;

  /// Breaks off what goes on; who waits is told so.
  void begin_stop();
  /// Whether the thread has ended.
  bool ended() const { return ended_; }

 private:
  using Time = std::chrono::steady_clock::time_point;
  using Work = std::function<Result<void>(DatabaseReader&)>;
  // What somebody waits for, who may have gone before it is there.
  struct Task {
    Work work;
    std::optional<Result<void>> done;  // guarded by mutex_
  };

  Result<void> ask(Work work) const;
  Result<void> wait_for(const std::shared_ptr<Task>& task, Time until) const;
  void run(const std::stop_token& stop);
  std::shared_ptr<Task> next(const std::stop_token& stop);
  Result<void> perform(const Work& work, const std::stop_token& stop);

  const Options options_;
  const std::unique_ptr<Connector> connector_;
  std::unique_ptr<DatabaseReader> reader_;  // of the thread; null: not connected

  mutable std::mutex turn_;  // who asks, one at a time; taken before the other
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  mutable std::shared_ptr<Task> task_;    // guarded by mutex_, as all below; null: nobody waits for anything
  mutable bool taken_ = false;            // the thread is at it
  mutable std::optional<Error> trouble_;  // of the last attempt
  mutable Time rests_until_{};
  mutable std::chrono::nanoseconds left_;  // of the patience
  mutable Time used_at_{};                 // last
  std::atomic<bool> ended_ = false;
  std::jthread thread_;  // last: it uses all of the others
};

}  // namespace gpukeeper::postgres
