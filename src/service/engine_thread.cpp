#include "service/engine_thread.hpp"

#include <thread>
#include <utility>

namespace gpukeeper::service {

struct EngineThread::State {
  explicit State(std::optional<std::chrono::nanoseconds> its) : period(its) {}

  const std::optional<std::chrono::nanoseconds> period;
  std::stop_source stop = {};
  std::mutex mutex = {};
  std::condition_variable changed = {};
  std::unique_ptr<Session> session = {};  // guarded by mutex, as all below; gone again once it has ended
  std::optional<Result<void>> opened = {};
  bool ended = false;
  // What an ended session knew.
  std::shared_ptr<const Snapshot> last_snapshot = std::make_shared<const Snapshot>();
  std::shared_ptr<const FaultList> last_faults = std::make_shared<const FaultList>();

  void run(const Open& open) {
    try {
      open_and_run(open);
    } catch (const std::exception& error) {  // no memory, or a mistake of ours
      std::scoped_lock lock(mutex);
      opened = fail(Errc::internal, std::string("the sampler ended: ") + error.what());
      changed.notify_all();
    }
    std::unique_ptr<Session> finished;
    {
      std::scoped_lock lock(mutex);
      if (session) {
        last_snapshot = session->engine().snapshot();
        last_faults = session->engine().faults();
      }
      finished = std::move(session);
    }
    finished.reset();  // may take as long as a driver does
    std::scoped_lock lock(mutex);
    ended = true;
    changed.notify_all();
  }

 private:
  void open_and_run(const Open& open) {
    auto made = open();
    Session* running = nullptr;
    {
      std::scoped_lock lock(mutex);
      if (!made) {
        opened = tl::make_unexpected(made.error());
        changed.notify_all();
        return;
      }
      opened = Result<void>();
      session = std::move(*made);
      running = session.get();
      changed.notify_all();
    }
    running->run(period, stop.get_token());
  }
};

EngineThread::EngineThread(Open open, std::optional<std::chrono::nanoseconds> period)
    : state_(std::make_shared<State>(period)) {
  std::thread([state = state_, open = std::move(open)] { state->run(open); }).detach();  // see the destructor
}

EngineThread::~EngineThread() {
  ask_to_stop();
}

std::optional<Result<void>> EngineThread::opened() const {
  std::scoped_lock lock(state_->mutex);
  return state_->opened;
}

std::optional<Result<void>> EngineThread::wait_until_opened(std::chrono::nanoseconds time) const {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait_for(lock, time, [&] { return state_->opened.has_value(); });
  return state_->opened;
}

std::shared_ptr<const Snapshot> EngineThread::snapshot() const {
  std::scoped_lock lock(state_->mutex);  // the session is not taken down meanwhile
  return state_->session ? state_->session->engine().snapshot() : state_->last_snapshot;
}

std::shared_ptr<const FaultList> EngineThread::faults() const {
  std::scoped_lock lock(state_->mutex);
  return state_->session ? state_->session->engine().faults() : state_->last_faults;
}

std::string EngineThread::faults_kept_in() const {
  std::scoped_lock lock(state_->mutex);
  return state_->session ? state_->session->engine().faults_kept_in() : std::string();
}

std::shared_ptr<const SilenceList> EngineThread::silences() const {
  std::scoped_lock lock(state_->mutex);
  return state_->session ? state_->session->engine().silences() : std::make_shared<const SilenceList>();
}

std::shared_ptr<const EngineTrouble> EngineThread::trouble() const {
  std::scoped_lock lock(state_->mutex);
  return state_->session ? state_->session->engine().trouble() : std::make_shared<const EngineTrouble>();
}

bool EngineThread::played_out() const {
  std::scoped_lock lock(state_->mutex);
  return state_->session && state_->session->played_out();
}

std::shared_ptr<const History> EngineThread::history() const {
  std::scoped_lock lock(state_->mutex);
  return state_->session ? state_->session->engine().history() : nullptr;
}

std::shared_ptr<const std::vector<LeakSuspect>> EngineThread::leak_suspects() const {
  std::scoped_lock lock(state_->mutex);
  return state_->session ? state_->session->engine().leak_suspects() : nullptr;
}

bool EngineThread::post(std::function<void(Engine&)> command) {
  std::scoped_lock lock(state_->mutex);
  if (!state_->session) return false;
  Engine& engine = state_->session->engine();  // it drops its commands when it ends
  return engine.post([&engine, command = std::move(command)] { command(engine); });
}

bool EngineThread::monitor(bool on) {
  std::scoped_lock lock(state_->mutex);
  return state_->session && state_->session->engine().monitor(on);
}

bool EngineThread::monitoring() const {
  std::scoped_lock lock(state_->mutex);
  return state_->session && state_->session->engine().monitoring();
}

bool EngineThread::when_fresh(std::function<void()> done) {
  std::scoped_lock lock(state_->mutex);
  return state_->session && state_->session->engine().when_fresh(std::move(done));
}

void EngineThread::ask_to_stop() {
  state_->stop.request_stop();
}

bool EngineThread::wait(std::chrono::nanoseconds time) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, time, [&] { return state_->ended; });
}

}  // namespace gpukeeper::service
