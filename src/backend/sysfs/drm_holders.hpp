#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/files.hpp"

namespace gpukeeper {

/// A process that has a GPU's file open.
struct DrmHolder {
  std::string name;  ///< /proc/PID/comm; empty when it could not be read
  bool kfd = false;  ///< it holds /dev/kfd: AMD compute
  /// The DRM descriptors, each with the key of its client for whoever reads fdinfo; empty before the first reading.
  std::map<std::uint64_t, std::string> descriptors;
};

/// Which processes of the machine have a GPU's file open: /proc/PID/fd of all of them, looked at a little at a time.
///
/// Looking at one process (listing its descriptors and following each) costs about 60 µs at ten descriptors, so a look
/// at 5,000 takes a third of a second. After the first walk a process is looked at again only
///   - when it holds a GPU: in every round, for it may open another or close this one;
///   - when it is new: at once, and watched closely for its first minute, in which programs open their GPU;
///   - when a cheap sign says that it changed: one stat of /proc/PID/fd (3 µs) tells the number of its descriptors
///     (Linux >= 6.2), and whether the pid was given again or changed its user (any kernel);
///   - in its turn: a slice of all processes a round, so that a descriptor that took another's place, or an older
///     kernel, delays the news but does not lose it.
///
/// Every kind of look has its part of a round's budget of time, and the rounds keep a distance that holds all of them
/// below `share` of a core. A machine with ten times the processes gets its news later, not at a higher price.
///
/// Threads: one at a time.
class DrmHolders {
 public:
  struct Options {
    std::int64_t own_pid = 0;                        ///< left out; 0 for none
    std::chrono::nanoseconds period{5'000'000'000};  ///< from the beginning of a round to the next, at least
    std::chrono::nanoseconds budget{25'000'000};     ///< of a round, besides listing /proc
    double share = 0.006;                            ///< of a core, over all rounds; the first walk is not one
    std::chrono::nanoseconds first_piece{
        350'000'000};  ///< the first walk is handed out in pieces, below the sampler's deadline
    /// CPU time of the calling thread, for budget and share: on a busy machine most of the time passes waiting for a
    /// core. Null: by the clock.
    std::chrono::nanoseconds (*effort)() = nullptr;
    std::chrono::nanoseconds youth{60'000'000'000};           ///< how long a new process is watched closely
    std::chrono::nanoseconds turn{120'000'000'000};           ///< in which all are looked at, if the budget allows
    std::chrono::nanoseconds turn_uncounted{20'000'000'000};  ///< the same on kernels that count no descriptors
  };

  DrmHolders(const Files& files, const Clock& clock, Options options);

  /// Brings the holders up to date as far as it is time to; returns early once a stop is requested.
  /// Errors: those of listing /proc; not_supported when there is none. The holders are then those of before.
  Result<void> update(std::stop_token stop = {});

  /// By pid. Changed by update() only, except for what its caller notes in them.
  std::map<std::int64_t, DrmHolder>& holders() { return holders_; }

  std::size_t processes() const { return all_.size(); }      ///< in the last list, without ourselves
  std::size_t hidden() const;                                ///< of them those that may not be looked at
  std::size_t unseen() const;                                ///< of them those that the first walk has still to reach
  bool others_unlisted() const { return others_unlisted_; }  ///< hidepid: /proc lists our own processes only
  MonotonicTime next() const { return next_; }               ///< when update() has something to do

  /// The name of a process as it is now; empty when it cannot be read.
  std::string name(std::int64_t pid) const;

 private:
  struct Process {
    std::int64_t pid = 0;
    MonotonicTime young_until{};
    std::optional<FileFacts> facts;  // when it was looked at last
    bool looked_at = false;
    bool hidden = false;
    bool holder = false;
  };
  using Cursor = std::int64_t;  // the pid at which one kind of look stopped the last time

  Result<void> list();
  std::chrono::nanoseconds effort() const;
  void round(MonotonicTime now, MonotonicTime before, const std::stop_token& stop);
  template <class Over, class Wanted, class Visit>
  void go_on(Cursor& cursor, Over over, Wanted wanted, Visit visit);
  void check(Process& process, const std::stop_token& stop);
  void look(Process& process, const std::stop_token& stop);
  void look(Process& process, const Result<FileFacts>& facts, const std::stop_token& stop);
  bool follow(const std::string& folder, const std::vector<std::string>& names, DrmHolder& found,
              const std::stop_token& stop) const;

  const Files& files_;
  const Clock& clock_;
  const Options options_;

  std::vector<Process> all_;  // ordered by pid
  std::map<std::int64_t, DrmHolder> holders_;
  bool others_unlisted_ = false;
  bool counted_ = false;  // the kernel tells the number of descriptors
  bool walked_ = false;   // all have been looked at once
  std::optional<MonotonicTime> listed_at_;
  MonotonicTime next_{};
  struct {
    Cursor first = 0, holders = 0, unseen = 0, young = 0, turn = 0, checked = 0;
  } cursors_;
};

}  // namespace gpukeeper
