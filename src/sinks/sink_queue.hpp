#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "sinks/alert_notice.hpp"
#include "sinks/sink_settings.hpp"
#include "sinks/spool.hpp"

namespace gpukeeper {

/// What waits for one sink, in order and bounded: when it is full the oldest goes,
/// of those that tell of an end the last. Remembers for the spool what has
/// changed, and which alerts the receiver knows, so that it hears of the end of those and of no others.
///
/// Threads: every member may be called from any thread; none waits for a disk or a network (but wait(), for news).
class SinkQueue {
 public:
  static constexpr std::size_t kMost = 1000;  ///< notices that wait

  /// `contents`: what the spool held.
  SinkQueue(SinkSettings settings, SpoolContents contents);

  /// Takes a notice that this sink is for. Whether it was.
  bool put(const std::shared_ptr<const AlertNotice>& notice);

  /// The oldest that waits; nothing when none does.
  std::optional<WaitingNotice> front() const;

  /// The notice of this number has arrived, or is given up: nothing is known of it any more.
  void done(std::uint64_t number);

  bool is_open(const std::string& alert) const;
  std::size_t size() const;
  std::uint64_t dropped() const;  ///< because it was full

  /// Returns when something was put, a stop is requested, or the time is over. Nothing: no time.
  void wait(const std::stop_token& stop, std::optional<std::chrono::nanoseconds> longest);

  /// A change that the spool does not have yet: a notice that came, or the number of one that is done.
  using Change = std::variant<WaitingNotice, std::uint64_t>;
  struct Unsaved {
    std::vector<Change> changes;                ///< since the last call, in order
    std::optional<SpoolContents> instead = {};  ///< all there is, in place of the changes
  };
  /// What the spool lacks. `everything`: all there is, as it is when there are more changes than are remembered.
  Unsaved take_unsaved(bool everything);

 private:
  static constexpr std::size_t kMostOpen = 20'000;  // above all that may fire at once
  static constexpr std::size_t kMostChanges = 4 * kMost;

  void drop_one();
  void note(Change change);

  const SinkSettings settings_;
  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  SpoolContents contents_;       // guarded by mutex_, as all below
  std::vector<Change> changes_;  // for the spool
  bool too_many_changes_ = false;
  std::uint64_t dropped_ = 0;
  std::uint64_t puts_ = 0;  // so far
  std::uint64_t seen_ = 0;  // of them, by wait()
};

}  // namespace gpukeeper
