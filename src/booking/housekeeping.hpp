#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "account/party.hpp"
#include "booking/book_settings.hpp"
#include "booking/bookkeeper.hpp"
#include "core/clock.hpp"
#include "core/published.hpp"
#include "core/wakeable_sleep.hpp"
#include "telemetry/booked.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// A lease whose processes hold more than its most.
struct OverusedLease {
  LeaseId id{};
  std::string service;  ///< it may hold anything
  std::string device;
  std::uint32_t uid = 0;
  Bytes observed{0};
  Bytes most{0};
  /// Those of this machine that use it, or what was granted with it, and no other lease, and of which it is known when
  /// they began; no clients of MPS, as the end of one may be the end of all that share its server.
  std::vector<ProcessOwner> processes;
};

/// Tells a bookkeeper what the drivers say and what time it is, and publishes what is booked for who may not wait.
///
/// A thread of its own, as the bookkeeper may wait for a disk and the sampler must not. Of the snapshots that came
/// while it waited only the latest counts.
///
/// Threads: step() belongs to one, that of start() where it was called; all else may be called from any.
class Housekeeping {
 public:
  /// `clock`: the bookkeeper's, that of who asks it, which is not that of devices whose time is played.
  /// `settings` are those that the bookkeeper was opened with.
  Housekeeping(Bookkeeper& book, std::shared_ptr<Clock> clock, BookSettings settings = {})
      : book_(book), clock_(std::move(clock)), settings_(std::move(settings)), set_(settings_.ledger) {}
  /// Waits for the thread, which may be waiting for a disk.
  ~Housekeeping();
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

  /// Is told which leases are overused, at each step after a look at the drivers, on the thread that steps; it may take
  /// a moment. Before start().
  using OnOveruse = std::function<void(const std::vector<OverusedLease>&)>;
  void on_overuse(OnOveruse told) { on_overuse_ = std::move(told); }

  /// Begins the thread: it steps when a snapshot came and when something is due.
  void start();

  /// Only hands it over.
  void see(std::shared_ptr<const Snapshot> snapshot);

  /// New settings, valid ones, from the next step on, which comes at once.
  void configure(BookSettings settings);

  /// What is booked as of the last step; null before the first snapshot was seen.
  std::shared_ptr<const Booked> booked() const;

  /// The processes that work under leases as of the last step, for who keeps accounts; never null.
  std::shared_ptr<const std::vector<account::LeasedProcess>> leased() const { return leased_.read(); }

  /// The whole behaviour: what was seen is told to the bookkeeper, what is due is done, what is booked is published.
  /// Returns when something is due next: in a second at the latest.
  MonotonicTime step();

  void ask_to_stop();
  /// Whether there is no thread any more, or never was one.
  bool ended() const { return !runs_; }

 private:
  void run(const std::stop_token& stop);
  void set(LedgerSettings settings);

  Bookkeeper& book_;
  const std::shared_ptr<Clock> clock_;
  std::mutex mutex_;
  std::shared_ptr<const Snapshot> next_;      // guarded by mutex_; null when it was taken
  std::optional<BookSettings> new_settings_;  // guarded by mutex_; nothing when they were taken
  OnOveruse on_overuse_;
  // Of who steps.
  BookSettings settings_;
  LedgerSettings set_;  // what the bookkeeper has
  std::shared_ptr<const Snapshot> seen_;
  Published<std::shared_ptr<const Booked>> booked_;
  Published<std::vector<account::LeasedProcess>> leased_;
  WakeableSleep sleep_;
  std::atomic<bool> runs_ = false;
  std::jthread thread_;  // last: it uses all of the others
};

/// What the drivers say, and how the settings name these devices, told to a bookkeeper once: for who asks it without a
/// daemon. From then on it grants.
void survey(Bookkeeper& book, const BookSettings& settings, const Snapshot& snapshot);

/// By id; `ledger` after a look at the drivers, which is `snapshot`.
std::vector<OverusedLease> overused_leases(const Ledger& ledger, const Snapshot& snapshot);

/// What is booked, in short. Of the processes in `snapshot` it says whose they are.
Booked summary(const Ledger& ledger, const Snapshot& snapshot);

/// The processes that the ledger takes for those of its leases, as it saw them last.
std::vector<account::LeasedProcess> leased_processes(const Ledger& ledger);

/// Whether a process on a device, or on a partition of it, works under a lease. One that is younger than the last look
/// of the ledger counts as ours where something is booked: it is better judged a moment later than wrongly.
bool works_under_lease(const Booked& booked, const DeviceSnapshot& device, std::int64_t pid);

}  // namespace gpukeeper
