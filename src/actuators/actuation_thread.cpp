#include "actuators/actuation_thread.hpp"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace gpukeeper {

struct ActuationThread::State {
  std::unique_ptr<Actuation> actuation;  // of the thread; gone once it has ended
  std::stop_source stop = {};
  mutable std::mutex mutex = {};
  std::condition_variable_any changed = {};
  std::shared_ptr<const Snapshot> snapshot = {};  // guarded by mutex, as all below; null when it was acted on
  ActuatorSettings settings = {};
  std::vector<ActuatorReport> reports = {};
  bool ended = false;

  void run() {
    actuation->recover();
    publish();
    std::unique_lock lock(mutex);
    while (changed.wait(lock, stop.get_token(), [this] { return snapshot != nullptr; })) {
      const auto seen = std::exchange(snapshot, nullptr);
      const ActuatorSettings allowed = settings;
      lock.unlock();
      actuation->act(*seen, allowed);
      publish();
      lock.lock();
    }
    lock.unlock();
    actuation->give_all_back();
    actuation.reset();
    lock.lock();
    ended = true;
    changed.notify_all();
  }

 private:
  void publish() {
    auto latest = actuation->reports();
    std::scoped_lock lock(mutex);
    reports = std::move(latest);
  }
};

ActuationThread::ActuationThread(std::unique_ptr<Actuation> actuation)
    : state_(std::make_shared<State>(std::move(actuation))) {
  std::thread([state = state_] { state->run(); }).detach();  // see the destructor
}

ActuationThread::~ActuationThread() {
  ask_to_stop();
}

void ActuationThread::see(std::shared_ptr<const Snapshot> snapshot) {
  {
    std::scoped_lock lock(state_->mutex);
    state_->snapshot.swap(snapshot);  // the one before is freed after the lock
  }
  state_->changed.notify_all();
}

void ActuationThread::configure(ActuatorSettings settings) {
  std::scoped_lock lock(state_->mutex);
  state_->settings = std::move(settings);
}

std::vector<ActuatorReport> ActuationThread::reports() const {
  std::scoped_lock lock(state_->mutex);
  return state_->reports;
}

void ActuationThread::ask_to_stop() {
  state_->stop.request_stop();
}

bool ActuationThread::wait(std::chrono::nanoseconds time) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, time, [this] { return state_->ended; });
}

}  // namespace gpukeeper
