#include "telemetry/playback_runner.hpp"

namespace gpukeeper {

PlaybackRunner::~PlaybackRunner() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    queue_.clear();
    job_.notify_all();
  }
  clock_->end_waits();
  for (std::thread& thread : threads_) thread.join();
}

void PlaybackRunner::run(std::span<const std::shared_ptr<Task>> tasks) {
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& task : tasks) {
      begin(*task);
      queue_.push_back(task);
    }
    unfinished_ += tasks.size();
  }
  settle();
}

void PlaybackRunner::settle() {
  for (;;) {
    {
      const std::scoped_lock lock(mutex_);
      if (unfinished_ == 0) return;
      // One thread is enough until what it runs waits for time to pass; then another goes on with the rest.
      if (!queue_.empty() && idle_ == 0) {
        threads_.emplace_back([this] { work(); });
        ++idle_;
      }
      job_.notify_all();  // all that are idle: the one that takes the first job may be hung before it takes the next
    }
    bool settled = false;
    clock_->await([&](std::size_t waiting) {
      const std::scoped_lock lock(mutex_);
      settled = unfinished_ == waiting;
      return settled || (!queue_.empty() && idle_ == 0 && threads_.size() == waiting);
    });
    if (settled) return;
  }
}

void PlaybackRunner::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    job_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const auto task = std::move(queue_.front());
    queue_.pop_front();
    --idle_;
    lock.unlock();
    execute(*task);
    lock.lock();
    ++idle_;
    --unfinished_;
    if (!queue_.empty()) continue;
    lock.unlock();
    clock_->nudge();
    lock.lock();
  }
}

}  // namespace gpukeeper
