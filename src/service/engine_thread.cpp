#include "service/engine_thread.hpp"

#include <thread>
#include <utility>

namespace gpukeeper::service {

struct EngineThread::State {
  std::stop_source stop;
  std::mutex mutex;
  std::condition_variable changed;
  std::unique_ptr<Engine> engine;      // guarded by mutex; gone again once it has ended
  std::optional<Result<void>> opened;  // guarded by mutex
  bool ended = false;                  // guarded by mutex
  std::shared_ptr<const Snapshot> last = std::make_shared<const Snapshot>();  // guarded by mutex; of an ended engine

  void run(const Open& open) {
    try {
      open_and_run(open);
    } catch (const std::exception& error) {  // no memory, or a mistake of ours
      std::scoped_lock lock(mutex);
      opened = fail(Errc::internal, std::string("the sampler ended: ") + error.what());
    }
    std::unique_ptr<Engine> finished;
    {
      std::scoped_lock lock(mutex);
      if (engine) last = engine->snapshot();
      finished = std::move(engine);
    }
    finished.reset();  // may take as long as a driver does
    std::scoped_lock lock(mutex);
    ended = true;
    changed.notify_all();
  }

 private:
  void open_and_run(const Open& open) {
    auto made = open();
    Engine* running = nullptr;
    {
      std::scoped_lock lock(mutex);
      if (!made) {
        opened = tl::make_unexpected(made.error());
        return;
      }
      opened = Result<void>();
      engine = std::move(*made);
      running = engine.get();
    }
    running->run(stop.get_token());
  }
};

EngineThread::EngineThread(Open open) : state_(std::make_shared<State>()) {
  std::thread([state = state_, open = std::move(open)] { state->run(open); }).detach();  // see the destructor
}

EngineThread::~EngineThread() {
  ask_to_stop();
}

std::optional<Result<void>> EngineThread::opened() const {
  std::scoped_lock lock(state_->mutex);
  return state_->opened;
}

std::shared_ptr<const Snapshot> EngineThread::snapshot() const {
  std::scoped_lock lock(state_->mutex);  // the engine is not taken down meanwhile
  return state_->engine ? state_->engine->snapshot() : state_->last;
}

bool EngineThread::post(CommandQueue::Command command) {
  std::scoped_lock lock(state_->mutex);
  return state_->engine && state_->engine->post(std::move(command));
}

void EngineThread::ask_to_stop() {
  state_->stop.request_stop();
}

bool EngineThread::wait(std::chrono::nanoseconds time) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, time, [&] { return state_->ended; });
}

}  // namespace gpukeeper::service
