#include "engine/engine.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <unistd.h>

#include "backend/replay/replay.hpp"
#include "core/playback_clock.hpp"
#include "telemetry/playback_runner.hpp"

namespace gpukeeper {
namespace {

std::string host_name() {
  std::array<char, 256> name{};  // POSIX: at most 255 bytes
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

std::unique_ptr<Runner> make_runner(const std::shared_ptr<Clock>& clock) {
  if (auto playback = std::dynamic_pointer_cast<PlaybackClock>(clock)) {
    return std::make_unique<PlaybackRunner>(std::move(playback));
  }
  return std::make_unique<ThreadRunner>();
}

SamplerOptions completed(SamplerOptions options, const Sources& sources, std::function<void(Snapshot&)> finish) {
  if (options.host.empty()) options.host = sources.replay ? sources.replay->header().host : host_name();
  options.finish = std::move(finish);
  return options;
}

std::unique_ptr<Attributor> attributor(const Sources& sources, const std::shared_ptr<Clock>& clock,
                                       const EngineOptions& options) {
  if (!options.attribute) return nullptr;
  // The built-in rules belong to nobody: they live as long as the program.
  const auto rules = options.classifier
                         ? options.classifier
                         : std::shared_ptr<const Classifier>(std::shared_ptr<void>(), &Classifier::built_in());
  return std::make_unique<Attributor>(sources.machine, clock, rules,
                                      AttributorOptions{.patience = options.who_patience});
}

}  // namespace

Engine::Engine(Sources sources, std::shared_ptr<Clock> clock, EngineOptions options)
    : clock_(std::move(clock)),
      period_(options.sampler.period),
      findings_(std::move(sources.findings)),
      faults_kept_in_(options.fault_store ? options.fault_store->place() : std::string()),
      replay_(sources.replay),
      attributor_(attributor(sources, clock_, options)),
      journal_(std::move(options.fault_store)),
      history_(std::make_shared<History>(std::move(options.history))),
      governor_(std::move(options.governor)),
      events_(std::move(options.events)),
      runner_(make_runner(clock_)),
      sampler_(std::move(sources.backends), std::move(sources.events), *clock_, *runner_, published_,
               completed(std::move(options.sampler), sources, [this](Snapshot& snapshot) { finish(snapshot); })) {
  follow_the_date();
}

// A recording has the dates of its own, which may have been put right while it was made.
void Engine::follow_the_date() const {
  const auto playback = std::dynamic_pointer_cast<PlaybackClock>(clock_);
  if (replay_ && playback) playback->set_wall(replay_->wall());
}

std::shared_ptr<const Snapshot> Engine::step() {
  follow_the_date();
  tick();
  return published_.read();
}

void Engine::run(std::stop_token stop) {
  for (auto due = clock_->now(); !stop.stop_requested(); due = std::max(due + period_, clock_->now())) {
    rest_until(*clock_, due, stop);
    if (!stop.stop_requested()) tick();
  }
}

void Engine::rest_until(Clock& clock, MonotonicTime until, const std::stop_token& stop) {
  while (clock.now() < until && !stop.stop_requested()) {
    sleep_.until(clock, until, stop);
    commands_.run();
  }
}

// Who hears of a transition finds the snapshot that shows it.
void Engine::tick() {
  sampler_.tick();
  const auto told = governor_.take_events();
  if (events_) events_->post(told);
}

bool Engine::post(CommandQueue::Command command) {
  if (!commands_.post(std::move(command))) return false;
  sleep_.wake();
  return true;
}

void Engine::finish(Snapshot& snapshot) {
  commands_.run();
  snapshot.replayed = replay_ != nullptr;
  if (attributor_) attributor_->complete(snapshot);
  journal_.note(snapshot);
  journal_.tell(snapshot);
  governor_.govern(snapshot);
  look_back(snapshot);
}

// After the governor, which judges the states; before whatever judges a stretch of time.
void Engine::look_back(const Snapshot& snapshot) {
  history_->add(snapshot);
  leaks_.look(snapshot);
  if (leaks_.suspects() != *leak_suspects_.read()) {
    leak_suspects_.publish(std::make_shared<const std::vector<LeakSuspect>>(leaks_.suspects()));
  }
}

}  // namespace gpukeeper
