#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <thread>

#include "embed/event_wishes.hpp"

namespace gpukeeper::embed {

using Listener = std::function<void(const ToldEvent&)>;

/// The thread on which one listener is called. What it throws is dropped: there is nobody to catch it.
/// Threads: every member may be called from any.
class ListenerThread {
 public:
  /// Tells the listener, unless nobody is to be told any more.
  using Say = std::function<void(const ToldEvent&)>;
  /// Runs until the stop, and says what happens.
  using Body = std::function<void(const std::stop_token&, const Say&)>;

  ListenerThread(Body body, Listener listener);

  /// Whether the calling thread is this one.
  bool is_this() const { return thread_.get_id() == std::this_thread::get_id(); }

  /// The listener is not called again, but for a call that runs.
  void ask_to_stop() { thread_.request_stop(); }

 private:
  std::jthread thread_;  // asked to stop and waited for at the end
};

}  // namespace gpukeeper::embed
