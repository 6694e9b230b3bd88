#include "actuators/actuation_thread.hpp"

#include <utility>

namespace gpukeeper {

ActuationThread::ActuationThread(std::unique_ptr<Actuation> actuation)
    : actuation_(std::move(actuation)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

ActuationThread::~ActuationThread() {
  thread_.request_stop();
  thread_.join();
}

void ActuationThread::see(std::shared_ptr<const Snapshot> snapshot) {
  {
    std::scoped_lock lock(mutex_);
    snapshot_.swap(snapshot);  // the one before is freed after the lock
  }
  seen_.notify_one();
}

void ActuationThread::configure(ActuatorSettings settings) {
  std::scoped_lock lock(mutex_);
  settings_ = std::move(settings);
}

std::vector<ActuatorReport> ActuationThread::reports() const {
  std::scoped_lock lock(mutex_);
  return reports_;
}

void ActuationThread::run(const std::stop_token& stop) {
  actuation_->recover();
  std::unique_lock lock(mutex_);
  while (seen_.wait(lock, stop, [this] { return snapshot_ != nullptr; })) {
    const auto snapshot = std::exchange(snapshot_, nullptr);
    const ActuatorSettings settings = settings_;
    lock.unlock();
    actuation_->act(*snapshot, settings);
    auto reports = actuation_->reports();
    lock.lock();
    reports_ = std::move(reports);
  }
  lock.unlock();
  actuation_->give_all_back();
}

}  // namespace gpukeeper
