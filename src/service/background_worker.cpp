#include "service/background_worker.hpp"

#include <utility>

namespace gpukeeper::service {

BackgroundWorker::BackgroundWorker(std::size_t threads, std::size_t most) : most_(most) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

BackgroundWorker::~BackgroundWorker() {
  for (std::jthread& thread : threads_) thread.request_stop();  // all at once: then each is waited for
}

bool BackgroundWorker::post(std::function<void()> work) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= most_) return false;
    waiting_.push_back(std::move(work));
  }
  news_.notify_one();
  return true;
}

std::size_t BackgroundWorker::waiting() const {
  std::scoped_lock lock(mutex_);
  return waiting_.size();
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
