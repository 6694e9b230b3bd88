#include "telemetry/runner.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

namespace gpukeeper {

using Time = std::chrono::steady_clock::time_point;  // real threads wait in real time, whatever clock is injected above

// Owned by the runner and by every collector thread, so that one which is let go finds it still there.
struct ThreadRunner::State {
  struct Job {
    std::shared_ptr<Task> task;
    std::uint64_t batch;
  };
  struct Running {
    const Task* task;
    std::uint64_t batch;
    Time started;
  };

  std::mutex mutex;
  std::condition_variable work;   // for collectors: a job came, or it is time to stop
  std::condition_variable ended;  // for the one who waits in run(): its batch is complete
  std::deque<Job> queue;
  std::vector<Running> running;
  std::vector<std::thread> threads;
  std::size_t idle = 0;
  std::size_t starting = 0;  // made, but not at work yet
  std::uint64_t batch = 0;   // the one that run() waits for
  std::size_t left = 0;      // of it, queued or running
  Time progress{};           // when a job last began or ended
  bool stopping = false;

  static void collect(const std::shared_ptr<State>& state);
};

void ThreadRunner::State::collect(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  --state->starting;
  for (;;) {
    ++state->idle;
    state->work.wait(lock, [&] { return state->stopping || !state->queue.empty(); });
    --state->idle;
    if (state->stopping) return;
    Job job = std::move(state->queue.front());
    state->queue.pop_front();
    state->progress = std::chrono::steady_clock::now();
    state->running.push_back({job.task.get(), job.batch, state->progress});
    lock.unlock();
    execute(*job.task);
    lock.lock();
    state->progress = std::chrono::steady_clock::now();
    std::erase_if(state->running, [&](const Running& r) { return r.task == job.task.get(); });
    if (job.batch == state->batch) --state->left;
    // When only calls that hang are left, the one who waits must look at the patience of those.
    if (state->left == 0 || (state->queue.empty() && !state->running.empty())) state->ended.notify_one();
  }
}

ThreadRunner::ThreadRunner(MakeThread make_thread)
    : make_thread_(std::move(make_thread)), state_(std::make_shared<State>()) {}

// Wakes an idle collector, or makes one.
void ThreadRunner::add_collector(State& state) {
  if (state.idle > 0) {
    state.work.notify_one();
    return;
  }
  if (state.starting > 0) return;  // a busy machine takes its time to start one: do not make ten meanwhile
  ++state.starting;
  try {
    state.threads.push_back(make_thread_([shared = state_] { State::collect(shared); }));
  } catch (const std::system_error&) {
    --state.starting;
    // The others go on with what they have. It is tried again after the next kHedge without progress.
  }
}

ThreadRunner::~ThreadRunner() {
  std::vector<std::thread> threads;
  std::vector<std::shared_ptr<Task>> never_run;
  {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    for (State::Job& job : state_->queue) never_run.push_back(std::move(job.task));
    state_->queue.clear();
    state_->work.notify_all();
    // Those in a driver call get a moment: a healthy call ends in it.
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    while (!state_->running.empty() && std::chrono::steady_clock::now() < give_up) {
      state_->ended.wait_for(lock, std::chrono::milliseconds(1));
    }
    threads.swap(state_->threads);
    if (!state_->running.empty()) {
      // We cannot tell which std::thread hangs where, and joining one that hangs would hang us too.
      for (std::thread& thread : threads) thread.detach();
      return;
    }
  }
  for (std::thread& thread : threads) thread.join();
}

std::size_t ThreadRunner::threads() const {
  std::scoped_lock lock(state_->mutex);
  return state_->threads.size();
}

void ThreadRunner::run(std::span<const std::shared_ptr<Task>> tasks) {
  if (tasks.empty()) return;
  std::unique_lock lock(state_->mutex);
  State& s = *state_;
  ++s.batch;
  s.left = tasks.size();
  for (const auto& task : tasks) {
    begin(*task);
    s.queue.push_back({task, s.batch});
  }
  add_collector(s);
  if (s.threads.empty()) {
    const auto jobs = std::exchange(s.queue, {});
    s.left = 0;
    lock.unlock();
    for (const State::Job& job : jobs) execute(*job.task);
    return;
  }

  s.progress = std::chrono::steady_clock::now();
  while (s.left > 0) {
    const auto now = std::chrono::steady_clock::now();
    Time until = s.progress + kHedge;
    if (!s.queue.empty()) {
      if (now >= until) {
        add_collector(s);
        s.progress = now;
        continue;
      }
    } else {
      // All are running: wait for the one with the most patience left, or until the last has ended.
      until = Time::min();
      for (const State::Running& r : s.running) {
        if (r.batch == s.batch) until = std::max(until, r.started + r.task->patience);
      }
      if (now >= until) break;
    }
    s.ended.wait_until(lock, until);
  }
}

}  // namespace gpukeeper
