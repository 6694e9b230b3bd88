#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policy/governor_event.hpp"

namespace gpukeeper {

/// Hands the governor's events to those who asked for them.
///
/// Each subscriber has a queue and a thread of its own, so one that is slow, hangs or throws delays neither the sampler
/// nor another subscriber. It gets its events in order. A full queue loses its oldest event: who is behind learns how
/// things stand now, and how many events were lost.
///
/// Threads: every member may be called from any thread, also from a callback.
class EventDispatcher {
 public:
  using Callback = std::function<void(const GovernorEvent&)>;
  /// Told in the subscriber's thread, in a sentence, when its callback threw or events were lost.
  using Complaint = std::function<void(const std::string&)>;
  enum class Token : std::uint64_t {};

  static constexpr std::size_t kQueue = 256;  ///< events that a subscriber may be behind

  explicit EventDispatcher(
      Complaint complaint = [](const std::string&) {}, std::size_t queue = kQueue);
  /// Events that are not delivered yet are not delivered any more; a callback that runs is waited for.
  ~EventDispatcher();
  EventDispatcher(const EventDispatcher&) = delete;
  EventDispatcher& operator=(const EventDispatcher&) = delete;

  /// From now on calls `callback` for events of this kind; for nothing: of every kind. `name` is for complaints.
  Token subscribe(std::string name, std::optional<GovernorEventKind> kind, Callback callback);

  /// Once it has returned, the callback is not called any more; it waits for one that runs, unless it is called from
  /// that. Answers whether there was such a subscriber.
  bool unsubscribe(Token token);

  /// Never waits for a subscriber.
  void post(std::span<const GovernorEvent> events);

  /// Returns when all that was posted before has been delivered: for tests, and for a play that ends.
  void drain();

  /// How many events this subscriber has lost; 0 for an unknown one.
  std::uint64_t lost(Token token) const;

 private:
  class Subscriber;

  const Complaint complaint_;
  const std::size_t queue_;
  mutable std::mutex mutex_;
  std::map<Token, std::shared_ptr<Subscriber>> subscribers_;  // guarded by mutex_, as below
  std::vector<std::shared_ptr<Subscriber>> leaving_;          // unsubscribed by their own callback; end with this
  std::uint64_t last_token_ = 0;
};

}  // namespace gpukeeper
