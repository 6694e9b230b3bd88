#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "booking/bookkeeper.hpp"
#include "core/clock.hpp"
#include "events/event_ring.hpp"
#include "events/lease_happening.hpp"
#include "events/snapshot_changes.hpp"
#include "faults/fault_journal.hpp"
#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// Where what happens is told to those who listen over HTTP. Whoever knows something puts it down and goes; the
/// server's thread finds it there, numbers it, and wakes the listeners.
///
/// Threads: see(), note(), after(), connect(), disconnect() and clients() may be called from any; all else belongs to
/// the server's.
class EventDesk {
 public:
  /// Has something done on the server's thread, after a while.
  using After = std::function<void(std::chrono::milliseconds, std::function<void()>)>;
  using Faults = std::function<std::shared_ptr<const FaultList>()>;

  /// What may wait for the server's thread; beyond that the older is left out, and snapshots lose nothing by it.
  static constexpr std::size_t kSnapshots = 8;
  static constexpr std::size_t kLeases = 4096;

  /// `before`: the number before the first event (EventRing). `most`: so many may listen at once.
  EventDesk(std::uint64_t before, std::size_t most) : ring_(before), most_(most) {}

  /// How the server's thread is reached, and the fault journal there. Until then what comes waits.
  void connect(After after, Faults faults);
  /// Neither is there any more: what comes is dropped.
  void disconnect();

  void see(std::shared_ptr<const Snapshot> snapshot);
  void note(events::LeaseHappening lease, WallTime at);

  /// As what it was connected with; does nothing once it is disconnected. From any thread.
  void after(std::chrono::milliseconds delay, std::function<void()> what);

  /// How many listen.
  std::size_t clients() const { return clients_; }

  events::EventRing& ring() { return ring_; }

  /// One who listens: woken after something happened.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void wake() = 0;
  };

  /// The refusal when nobody else may listen: 503; nothing when there is room.
  std::optional<Response> full() const;
  void add(Listener& listener);
  void remove(Listener& listener);

 private:
  void call_server();
  void take();
  void happened(const Snapshot& snapshot);

  std::mutex mutex_;
  After after_;          // guarded by mutex_, as all below
  Faults faults_;        // null without after_
  bool closed_ = false;  // disconnected
  bool called_ = false;  // the server's thread is on its way
  std::deque<std::shared_ptr<const Snapshot>> waiting_;
  std::deque<events::Happening> leases_;

  events::EventRing ring_;  // of the server's thread, as all below
  events::SnapshotChanges changes_;
  std::set<Listener*> listeners_;
  const std::size_t most_;
  std::atomic<std::size_t> clients_ = 0;
};

/// Who was granted memory or gave it back, each lease of it.
std::vector<events::LeaseHappening> happenings_of(const Bookkeeper::Served& served);
void tell_served(EventDesk& desk, const Bookkeeper::Served& served, WallTime at);

}  // namespace gpukeeper::service
