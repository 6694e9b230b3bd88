#include "actuators/actuation_thread.hpp"

#include <condition_variable>
#include <iterator>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace gpukeeper {
namespace {

constexpr std::chrono::seconds kLongestPause{1};  // what is frozen has to be let go in time, whatever else stands still

ActuatorSettings only_freezing(const ActuatorSettings& all) {
  ActuatorSettings settings;
  settings.freeze = all.freeze;
  settings.freeze_cgroups = all.freeze_cgroups;
  settings.max_pause = all.max_pause;
  settings.devices = all.devices;
  return settings;
}

ActuatorSettings all_but_freezing(ActuatorSettings settings) {
  settings.freeze = false;
  return settings;
}

}  // namespace

struct ActuationThread::Lane {
  explicit Lane(std::unique_ptr<Actuation> its) : actuation(std::move(its)) {}

  std::unique_ptr<Actuation> actuation;  // of the thread; gone once it has ended
  std::stop_source stop = {};
  mutable std::mutex mutex = {};
  std::condition_variable_any changed = {};
  std::shared_ptr<const Snapshot> snapshot = {};  // guarded by mutex, as all below; null before the first
  bool unseen = false;                            // it was not acted on
  ActuatorSettings settings = {};
  std::chrono::nanoseconds fresh_for = std::chrono::seconds(10);
  std::vector<ActuatorReport> reports = {};
  bool ended = false;

  void run() {
    actuation->recover();
    publish();
    while (wait()) act();
    actuation->give_all_back();
    publish();
    actuation.reset();
    std::scoped_lock lock(mutex);
    ended = true;
    changed.notify_all();
  }

 private:
  bool wait() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop.get_token(), kLongestPause, [this] { return unseen; });
    return !stop.stop_requested();
  }

  void act() {
    std::unique_lock lock(mutex);
    unseen = false;
    if (!snapshot) return;
    const auto latest = snapshot;
    const auto allowed = settings;
    const auto fresh = fresh_for;
    lock.unlock();
    actuation->act(*latest, allowed, fresh);
    publish();
  }

  void publish() {
    auto latest = actuation->reports();
    std::scoped_lock lock(mutex);
    reports = std::move(latest);
  }
};

ActuationThread::ActuationThread(std::unique_ptr<Actuation> freezing, std::unique_ptr<Actuation> changing)
    : lanes_{std::make_shared<Lane>(std::move(freezing)), std::make_shared<Lane>(std::move(changing))} {
  for (const auto& lane : lanes_) std::thread([lane] { lane->run(); }).detach();  // see the destructor
}

ActuationThread::~ActuationThread() {
  ask_to_stop();
}

void ActuationThread::see(const std::shared_ptr<const Snapshot>& snapshot) {
  for (const auto& lane : lanes_) {
    auto latest = snapshot;
    {
      std::scoped_lock lock(lane->mutex);
      lane->snapshot.swap(latest);  // the one before is freed after the lock
      lane->unseen = true;
    }
    lane->changed.notify_all();
  }
}

void ActuationThread::configure(const ActuatorSettings& settings, std::chrono::nanoseconds fresh_for) {
  const std::array<ActuatorSettings, 2> each = {only_freezing(settings), all_but_freezing(settings)};
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    std::scoped_lock lock(lanes_[i]->mutex);
    lanes_[i]->settings = each[i];
    lanes_[i]->fresh_for = fresh_for;
  }
}

std::vector<ActuatorReport> ActuationThread::reports() const {
  std::vector<ActuatorReport> result;
  for (const auto& lane : lanes_) {
    std::scoped_lock lock(lane->mutex);
    result.insert(result.end(), lane->reports.begin(), lane->reports.end());
  }
  return result;
}

void ActuationThread::ask_to_stop() {
  for (const auto& lane : lanes_) lane->stop.request_stop();
}

bool ActuationThread::wait(std::chrono::nanoseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  for (const auto& lane : lanes_) {
    std::unique_lock lock(lane->mutex);
    if (!lane->changed.wait_until(lock, until, [&] { return lane->ended; })) return false;
  }
  return true;
}

}  // namespace gpukeeper
