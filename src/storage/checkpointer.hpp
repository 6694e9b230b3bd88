#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "storage/sqlite.hpp"

namespace gpukeeper::sqlite {

/// Copies a write-ahead log back into its database on a thread of its own. SQLite does that within the commit that made
/// the log long, which then waits for two flushes of the disk; here nobody does who writes.
///
/// Threads: all but the constructor and the destructor belong to the writer's.
class Checkpointer {
 public:
  struct Limits {
    int begin = 1000;   ///< pages in the log from which on it is copied back, as SQLite does it
    int most = 16'000;  ///< from which on the writer must wait, as the log may grow no further: 64 MiB
  };

  /// `writer` is a connection to the same file that outlives it; its own checkpoints are turned off. Where no second
  /// connection can be had they are left as they are.
  Checkpointer(Database& writer, const std::string& path, Limits limits);
  /// Waits for the copying that was begun.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

 private:
  void wrote(int pages);
  void run(const std::stop_token& stop, Database& database);

  Database& writer_;
  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable_any news_;
  int pages_ = 0;                   // guarded by mutex_; in the log, after the latest commit
  int due_at_;                      // guarded by mutex_; pages
  std::optional<Database> second_;  // of the thread
  std::jthread thread_;             // last: it uses all of the others
};

}  // namespace gpukeeper::sqlite
