#include "service/background_worker.hpp"

#include <utility>

namespace gpukeeper::service {

BackgroundWorker::BackgroundWorker() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

bool BackgroundWorker::post(std::function<void()> work) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= kMost) return false;
    waiting_.push_back(std::move(work));
  }
  news_.notify_one();
  return true;
}

void BackgroundWorker::run(const std::stop_token& stop) {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      if (!news_.wait(lock, stop, [&] { return !waiting_.empty(); }) || stop.stop_requested()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace gpukeeper::service
