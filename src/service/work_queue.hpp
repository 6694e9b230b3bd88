#pragma once

#include <functional>

#include "engine/command_queue.hpp"
#include "service/listener.hpp"

namespace gpukeeper::service {

/// Work for a thread that waits in poll(2): posted by any thread, run by that one.
class WorkQueue {
 public:
  WorkQueue();

  /// Whether it was taken: false when CommandQueue::kMost wait.
  [[nodiscard]] bool post(std::function<void()> work);

  /// Readable while something waits; -1 when the machine gave none, and then work waits for the next look.
  int descriptor() const { return bell_.get(); }

  /// Runs what waits, in order.
  void run();

 private:
  CommandQueue queue_;
  const Descriptor bell_;  // an eventfd
};

}  // namespace gpukeeper::service
