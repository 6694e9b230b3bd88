#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "core/clock.hpp"
#include "embed/listener_thread.hpp"
#include "events/happening.hpp"
#include "faults/fault_journal.hpp"
#include "policy/governor_event.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::embed {

/// Tells listeners in this process what happens. Whoever knows something puts it down and goes; each listener's own
/// thread finds it in its mailbox. A mailbox that is full loses its oldest, and its listener is told how much.
///
/// Threads: every member may be called from any.
class Announcer {
 public:
  using Faults = std::function<std::shared_ptr<const FaultList>()>;

  static constexpr std::size_t kMost = 256;  ///< that a listener may be behind

  /// Whether anybody listens: what nobody hears of need not be put into words.
  bool is_heard();

  void see(const std::shared_ptr<const Snapshot>& snapshot);
  void note(const events::Happening& happening);
  void note(const GovernorEvent& event);

  /// What a listener's thread does. `known`: how all is now; what differs from it is told. `first`: the number before
  /// the first event.
  ListenerThread::Body listening(EventWishes wishes, std::shared_ptr<const Snapshot> known, Faults faults,
                                 std::uint64_t first);

 private:
  class Mailbox;
  class Translator;

  std::mutex mutex_;
  std::list<std::weak_ptr<Mailbox>> mailboxes_;  // guarded by mutex_
};

}  // namespace gpukeeper::embed
