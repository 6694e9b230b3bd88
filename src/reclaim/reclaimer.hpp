#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "booking/bookkeeper.hpp"
#include "core/clock.hpp"
#include "reclaim/hands.hpp"
#include "reclaim/holder_book.hpp"
#include "reclaim/idle_watch.hpp"
#include "reclaim/reclaim_run.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::reclaim {

/// Runs reclaim on a thread of its own: when somebody asks, and in a loop where the configuration wants it. One run at
/// a time. It is handed every snapshot, and acts through Hands, a thread for each holder that is asked at once.
///
/// Threads: step() belongs to one, that of start() where it was called; all else may be called from any.
class Reclaimer {
 public:
  struct World {
    std::function<Bookkeeper*()> book;  ///< null before it is open
    Hands& hands;
    HolderBook& holders;
    std::shared_ptr<const Clock> clock;             ///< of the snapshots and of the book
    std::function<std::string()> no_checkpoint;     ///< why there is no cuda-checkpoint; empty when there is
    std::function<bool(const ProcessOwner&)> gone;  ///< whether a process of this machine has ended
    std::set<std::int64_t> own_pids;
  };
  using Done = std::function<void(const ReclaimReport&)>;

  Reclaimer(World world, ReclaimSettings settings);
  /// Stops the run as it stands, and waits for what was begun; holders that do not answer are not waited for.
  ~Reclaimer();
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  /// Begins the thread.
  void start();
  void ask_to_stop();
  /// Whether there is no thread any more, or never was one.
  bool ended() const { return !runs_; }

  /// Only hands it over.
  void see(std::shared_ptr<const Snapshot> snapshot);
  void configure(ReclaimSettings settings);
  ReclaimSettings settings() const;

  /// Has `look` asked for a snapshot, which comes by see(), once a run has had none for a second: nobody monitors, or
  /// seldom. Null: no more; it is not running then. It returns at once and calls nothing of this.
  void look_with(std::function<void()> look);

  /// Orders a run: its number. `done` is called with its report on the reclaimer's thread.
  /// Errors: already_exists while one runs; unavailable once it stops.
  Result<std::uint64_t> order(ReclaimOrder order, Done done);

  /// The latest reports, the oldest first; that of a run that goes on is the last, as it stands.
  std::vector<ReclaimReport> reports() const;
  static constexpr std::size_t kMostReports = 16;

  /// What is to be done now: the thread's whole behaviour. Returns when to call it again at the latest.
  MonotonicTime step();

 private:
  struct Answer {
    std::size_t action = 0;
    Result<HolderReply> reply;
    MonotonicTime at{};
  };
  struct Running {
    ReclaimRun run;
    Done done;
    std::vector<std::jthread> threads;
  };
  void run(const std::stop_token& stop);
  void begin(ReclaimOrder order, Done done, std::uint64_t number);
  void begin_by_itself(const Sight& sight);
  void advance(const Sight* sight);
  void act(const ReclaimAction& action);
  ReclaimFacts facts() const;
  void publish(const ReclaimReport& report);
  void look_if_none_comes();
  bool is_stale(MonotonicTime now) const;

  const World world_;
  std::stop_source stop_;

  std::mutex look_mutex_;
  std::function<void()> look_;  // guarded by look_mutex_

  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  bool has_news_ = false;                 // guarded by mutex_
  bool stopping_ = false;                 // guarded by mutex_
  bool busy_ = false;                     // guarded by mutex_: one is ordered or runs
  std::uint64_t last_number_ = 0;         // guarded by mutex_
  ReclaimSettings settings_;              // guarded by mutex_
  std::shared_ptr<const Snapshot> next_;  // guarded by mutex_; null when it was taken
  struct Ordered {
    std::uint64_t number = 0;
    ReclaimOrder order;
    Done done;
  };
  std::optional<Ordered> ordered_;     // guarded by mutex_
  std::vector<Answer> answers_;        // guarded by mutex_
  std::deque<ReclaimReport> reports_;  // guarded by mutex_

  // Of whoever steps.
  IdleWatch idle_;
  std::optional<Sight> sight_;
  std::optional<MonotonicTime> seen_;   // when that was
  std::optional<MonotonicTime> asked_;  // when it was asked for last
  std::unique_ptr<Running> running_;
  std::optional<MonotonicTime> looped_;  // when the loop looked last

  std::atomic<bool> runs_ = false;
  std::jthread thread_;  // last: it uses all of the others
};

}  // namespace gpukeeper::reclaim
