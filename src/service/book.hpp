#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "actuators/overuse_enforcer.hpp"
#include "booking/bookkeeper.hpp"
#include "booking/housekeeping.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "engine/open_book.hpp"
#include "service/lease_log.hpp"

namespace gpukeeper::service {

/// The book of leases of `serve`, and the thread that looks after it. It outlives the engine, which may hang in a
/// driver.
///
/// Threads: open() once, on the engine's; look() belongs to the main thread; all else may be called from any.
class Book {
 public:
  /// `clock`: that of the clients. `signals`, `files`: as for OveruseEnforcer.
  Book(BookSettings settings, std::shared_ptr<Clock> clock, std::shared_ptr<const Files> files,
       std::shared_ptr<Signals> signals, Log& log);

  /// Who is told of everybody who was served, those that waited too. Before open().
  void measure(Bookkeeper::Meter meter) { meter_ = std::move(meter); }

  /// Who is told what happens to leases by itself. Before open().
  void listen(Bookkeeper::Listener listener) { listener_ = std::move(listener); }

  /// As open_book. From then on its owners are watched.
  void open(const StateDirectory* directory, const Sources& sources);

  /// Null before it is open; then it lives as long as this does.
  Bookkeeper* keeper() const;

  /// What is booked as of the latest look at the drivers; null before the first.
  std::shared_ptr<const Booked> booked() const;

  /// The processes under leases, as of that look; never null.
  std::shared_ptr<const std::vector<account::LeasedProcess>> leased() const;

  /// What the drivers say. It only hands it over.
  void see(std::shared_ptr<const Snapshot> snapshot);

  void configure(BookSettings settings);

  /// Who asks holders for what they use too much, where that is configured.
  void ask_with(OveruseEnforcer::Ask ask) { overuse_.ask_with(std::move(ask)); }

  /// Says in the log what happened to leases, that nothing can be granted any more, and when that is over. Once a
  /// second.
  void look();

  /// Ends the thread; who asks for leases is answered still. It may be waiting for a disk.
  void ask_to_stop();
  bool ended() const;

 private:
  struct Open {
    std::unique_ptr<Bookkeeper> keeper;
    std::unique_ptr<Housekeeping> housekeeping;  // goes first
  };
  const Open* opened() const;

  const std::shared_ptr<Clock> clock_;
  Log& log_;
  LeaseLog lease_log_;
  OveruseEnforcer overuse_;
  Bookkeeper::Meter meter_;        // null: nobody
  Bookkeeper::Listener listener_;  // as well
  mutable std::mutex mutex_;
  BookSettings settings_;       // guarded by mutex_
  std::unique_ptr<Open> open_;  // guarded by mutex_ until it is there; then it stays
  bool stopped_ = false;        // guarded by mutex_
  std::string closed_;          // as it was said last
};

}  // namespace gpukeeper::service
