#include "attribution/background.hpp"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <utility>

namespace gpukeeper {

// Owned by the thread, too, so that one which is let go finds it still there.
struct Background::State {
  std::mutex mutex;
  std::condition_variable work;   // for the thread: there is a job, or it is time to stop
  std::condition_variable ended;  // for who waits
  std::function<void()> job;      // waiting or running while busy
  bool busy = false;
  bool stopping = false;

  static void serve(const std::shared_ptr<State>& state) {
    std::unique_lock lock(state->mutex);
    for (;;) {
      state->work.wait(lock, [&] { return state->stopping || state->job; });
      if (state->stopping) {  // a job that has not begun never does
        state->busy = false;
        state->ended.notify_all();
        return;
      }
      const auto job = std::exchange(state->job, nullptr);
      lock.unlock();
      job();
      lock.lock();
      state->busy = false;
      state->ended.notify_all();
    }
  }
};

Background::Background(MakeThread make_thread)
    : make_thread_(std::move(make_thread)), state_(std::make_shared<State>()) {}

Background::~Background() {
  if (!thread_.joinable()) return;
  {
    std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
    state_->work.notify_all();
  }
  if (wait(std::chrono::milliseconds(50))) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

bool Background::start(std::function<void()> job) {
  if (!thread_.joinable()) {
    try {
      thread_ = make_thread_([shared = state_] { State::serve(shared); });
    } catch (const std::system_error&) {
      return false;
    }
  }
  std::scoped_lock lock(state_->mutex);
  if (state_->busy) return false;
  state_->busy = true;
  state_->job = std::move(job);
  state_->work.notify_all();
  return true;
}

bool Background::wait(std::chrono::nanoseconds patience) {
  std::unique_lock lock(state_->mutex);
  return state_->ended.wait_for(lock, patience, [&] { return !state_->busy; });
}

}  // namespace gpukeeper
