#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "booking/bookkeeper.hpp"

namespace gpukeeper::service {

/// Those who wait for what becomes of a lease: for its grant, for the end of its draining. One thread looks after all
/// of them, when the bookkeeper says that something happened; nobody who waits costs a thread.
///
/// The same thread does what must be done for clients that have gone, as the server's must not wait for a disk.
///
/// Threads: every member may be called from any; look() is what the thread does, and a test does it itself.
class LeaseWaits {
 public:
  /// Fewer than a listener takes connections: who waits must not keep all others out.
  static constexpr std::size_t kMost = 192;
  using Token = std::uint64_t;

  struct Wait {
    std::vector<LeaseId> leases;             ///< while any of them
    LeaseState state = LeaseState::waiting;  ///< is in this state,
    MonotonicTime until{};                   ///< and until then; of the bookkeeper's clock
    /// Called once, on the thread: with the note of a grant (Booking::note).
    std::function<void(const std::string& note)> over;
  };

  /// Listens to the bookkeeper, which outlives it.
  explicit LeaseWaits(Bookkeeper& book, std::size_t most = kMost);
  /// As stop().
  ~LeaseWaits();
  LeaseWaits(const LeaseWaits&) = delete;
  LeaseWaits& operator=(const LeaseWaits&) = delete;

  void start();
  /// Ends the thread; errands are run before, who waits is never called any more.
  void stop();

  /// Nothing when so many wait already.
  std::optional<Token> add(Wait wait);
  /// Whether it waited still; then it is not called any more.
  bool drop(Token token);
  bool anyone_waits_for(LeaseId lease) const;

  /// Has something done on the thread.
  void post(std::function<void()> errand);

  /// Something may have happened of which the bookkeeper tells nobody: a client did it.
  void ring();

  void look();

 private:
  struct State;
  void run(const std::stop_token& stop);

  Bookkeeper& book_;
  const std::size_t most_;
  const std::shared_ptr<State> state_;  // shared with what listens to the bookkeeper
  std::jthread thread_;
};

}  // namespace gpukeeper::service
