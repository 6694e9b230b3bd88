#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/result.hpp"
#include "embed/listener_thread.hpp"

namespace gpukeeper::embed {

/// Who listens in a keeper. Threads: every member may be called from any, listeners included.
class Subscriptions {
 public:
  /// The number by which it is ended.
  std::uint64_t add(ListenerThread::Body body, Listener listener);

  /// Once it has returned, the listener is not called any more; it waits for a call that runs, unless it is called from
  /// that. Errors: not_found.
  Result<void> end(std::uint64_t number);

  /// Ends all, and waits for them.
  void end_all();

  /// Whether the calling thread is a listener's.
  bool is_one_of_ours() const;

 private:
  using Threads = std::vector<std::shared_ptr<ListenerThread>>;
  Threads take_those_that_left();

  mutable std::mutex mutex_;
  std::uint64_t last_ = 0;  // guarded by mutex_, as below
  std::map<std::uint64_t, std::shared_ptr<ListenerThread>> all_;
  Threads leaving_;  // ended by their own listeners
};

}  // namespace gpukeeper::embed
