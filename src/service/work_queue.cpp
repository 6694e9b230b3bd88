#include "service/work_queue.hpp"

#include <cstdint>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace gpukeeper::service {

WorkQueue::WorkQueue() : bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

bool WorkQueue::post(std::function<void()> work) {
  if (!queue_.post(std::move(work))) return false;
  const std::uint64_t one = 1;
  static_cast<void>(::write(bell_.get(), &one, sizeof one));  // fails only when it rings already
  return true;
}

void WorkQueue::run() {
  std::uint64_t rung = 0;
  static_cast<void>(::read(bell_.get(), &rung, sizeof rung));  // before the work: what comes meanwhile rings again
  queue_.run();
}

}  // namespace gpukeeper::service
