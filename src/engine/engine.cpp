#include "engine/engine.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "backend/replay/replay.hpp"
#include "core/machine_name.hpp"
#include "core/playback_clock.hpp"
#include "telemetry/playback_runner.hpp"

namespace gpukeeper {
namespace {

std::unique_ptr<Runner> make_runner(const std::shared_ptr<Clock>& clock) {
  if (auto playback = std::dynamic_pointer_cast<PlaybackClock>(clock)) {
    return std::make_unique<PlaybackRunner>(std::move(playback));
  }
  return std::make_unique<ThreadRunner>();
}

SamplerOptions completed(SamplerOptions options, const Sources& sources, std::function<void(Snapshot&)> finish) {
  if (options.host.empty()) options.host = sources.replay ? sources.replay->header().host : machine_name();
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
  AttributorOptions looking{.patience = options.who_patience};
  if (!options.wait_for_cpu_shares) looking.second_look = std::chrono::nanoseconds::max();
  return std::make_unique<Attributor>(sources.machine, clock, rules, std::move(looking));
}

// Calls `copy` with each device and partition of `now` that was in `before`, too, and what it was there.
template <class Copy>
void keep(std::vector<DeviceSnapshot>& now, const std::vector<DeviceSnapshot>& before, Copy copy) {
  for (DeviceSnapshot& device : now) {
    const auto old =
        std::ranges::find_if(before, [&](const DeviceSnapshot& d) { return d.device->id == device.device->id; });
    if (old == before.end()) continue;
    copy(device, *old);
    keep(device.partitions, old->partitions, copy);
  }
}

// Full speed is no answer of a governor that has failed, and green no light of an Andon that has.
void keep_advice(Snapshot& now, const Snapshot& before) {
  keep(now.devices, before.devices,
       [](DeviceSnapshot& d, const DeviceSnapshot& old) { d.throttling = old.throttling; });
}

void keep_alerts(Snapshot& now, const Snapshot& before) {
  now.alerts = before.alerts;
  now.lamp = before.lamp;
  keep(now.devices, before.devices, [](DeviceSnapshot& d, const DeviceSnapshot& old) { d.lamp = old.lamp; });
}

}  // namespace

Engine::Engine(Sources sources, std::shared_ptr<Clock> clock, EngineOptions options)
    : clock_(std::move(clock)),
      period_(options.sampler.period),
      findings_(std::move(sources.findings)),
      faults_kept_in_(options.fault_store ? options.fault_store->place() : std::string()),
      replay_(sources.replay),
      attributor_(attributor(sources, clock_, options)),
      name_pods_(std::move(options.name_pods)),
      journal_(std::move(options.fault_store)),
      history_(std::make_shared<History>(std::move(options.history))),
      governor_(std::move(options.governor), std::move(options.is_ours)),
      events_(std::move(options.events)),
      ask_booked_(std::move(options.booked)),
      on_snapshot_(std::move(options.on_snapshot)),
      on_step_(std::move(options.on_step)),
      andon_(std::move(options.andon), std::move(options.alert_store), options.alert_listener),
      host_(sources.machine),
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

// The period may change while it rests: then the step comes so much earlier or later.
void Engine::run(std::stop_token stop) {
  auto last = clock_->now() - period_;
  while (!stop.stop_requested()) {
    if (clock_->now() < last + period_) {
      rest(*clock_, last + period_, stop);
      continue;
    }
    const auto due = last + period_;
    late_ = clock_->now() - due;
    if (monitoring_) try_tick();
    late_.reset();
    last = std::max(due, clock_->now() - period_);
  }
}

void Engine::rest_until(Clock& clock, MonotonicTime until, const std::stop_token& stop) {
  while (clock.now() < until && !stop.stop_requested()) rest(clock, until, stop);
}

// Until then, a stop, or something to do, which is done.
void Engine::rest(Clock& clock, MonotonicTime until, const std::stop_token& stop) {
  sleep_.until(clock, until, stop);
  commands_.run();
  answer_askers();
}

// Whatever goes wrong in one step, there is a next.
void Engine::try_tick() {
  static_cast<void>(attempt("the step", [&] { tick(); }));
}

// Whether it went well.
template <class Work>
bool Engine::attempt(std::string_view part, Work work) {
  try {
    work();
    return true;
  } catch (const std::exception& error) {
    note_trouble(part, error.what());
    return false;
  }
}

void Engine::note_trouble(std::string_view part, std::string_view what) {
  failed_ = true;
  EngineTrouble trouble = *trouble_.read();
  ++trouble.count;
  trouble.last = fmt::format("{}: {}", part, what);
  trouble.lasting = true;
  untold_ = trouble.last;
  trouble_.publish(std::make_shared<const EngineTrouble>(std::move(trouble)));
}

void Engine::configure(const EngineSettings& settings) {
  period_ = settings.sample_interval;
  governor_.configure(settings.governor);
  andon_.set(settings.andon);
  HistorySettings history = settings.history;
  history.interval = settings.governor.monitor_interval;
  history_->resize(history);
}

bool Engine::monitor(bool on) {
  if (monitoring_.exchange(on) == on) return false;
  if (on) static_cast<void>(when_fresh([] {}));  // the first step at once; with so many who wait it comes anyway
  return true;
}

bool Engine::when_fresh(std::function<void()> done) {
  {
    std::scoped_lock lock(askers_mutex_);
    if (askers_.size() >= kMostAskers) return false;
    askers_.push_back(std::move(done));
  }
  sleep_.wake();
  return true;
}

void Engine::answer_askers() {
  std::vector<std::function<void()>> askers;
  {
    std::scoped_lock lock(askers_mutex_);
    askers.swap(askers_);
  }
  if (askers.empty()) return;
  const auto latest = published_.read();
  if (latest->sequence == 0 || clock_->now() - latest->monotonic > kFresh) {
    follow_the_date();
    try_tick();
  }
  for (const auto& done : askers) done();
}

// Who hears of a transition finds the snapshot that shows it.
void Engine::tick() {
  failed_ = false;
  const auto begun = real_.now();
  sampler_.tick();
  const auto told = governor_.take_events();
  if (events_) events_->post(told);
  if (on_snapshot_) on_snapshot_(published_.read());
  if (on_step_) on_step_(*published_.read(), {real_.now() - begun, std::exchange(late_, std::nullopt)});
  if (failed_ || !trouble_.read()->lasting) return;
  EngineTrouble over = *trouble_.read();
  over.lasting = false;
  trouble_.publish(std::make_shared<const EngineTrouble>(std::move(over)));
}

bool Engine::post(CommandQueue::Command command) {
  if (!commands_.post(std::move(command))) return false;
  sleep_.wake();
  return true;
}

void Engine::finish(Snapshot& snapshot) {
  commands_.run();
  snapshot.replayed = replay_ != nullptr;
  if (ask_booked_) snapshot.booked = ask_booked_();
  const auto before = published_.read();
  attempt("who the processes are", [&] {
    if (attributor_) attributor_->complete(snapshot);
    if (name_pods_) name_pods_(snapshot);
  });
  attempt("the fault journal", [&] {
    journal_.note(snapshot);
    journal_.tell(snapshot);
  });
  if (!attempt("the governor", [&] { governor_.govern(snapshot); })) keep_advice(snapshot, *before);
  attempt("the history", [&] { look_back(snapshot); });
  const auto none = snapshot.alerts;
  attempt("the alerts", [&] {
    andon_.look(snapshot, {.faults = journal_.list(),
                           .host = host_.load(snapshot.monotonic),
                           .leaks = leak_suspects_.read(),
                           .trouble = std::exchange(untold_, {})});
  });
  if (snapshot.alerts == none) keep_alerts(snapshot, *before);
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
