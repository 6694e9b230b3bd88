#include "embed/local_keeper.hpp"

#include <chrono>
#include <utility>

#include "config/session_options.hpp"
#include "embed/configuration.hpp"
#include "embed/no_signals.hpp"

namespace gpukeeper::embed {

using namespace std::chrono_literals;

namespace {

constexpr auto kOpenPatience = 20s;  // the first look at a machine may take SamplerOptions::first_list_deadline, 15 s
constexpr auto kLookPatience = 20s;
constexpr auto kEndPatience = 2s;

Error hangs(std::string what) {
  return {Errc::deadline_exceeded,
          what + ": a driver has not answered for 20 s; 'gpukeeper doctor' says which is there"};
}

}  // namespace

Result<std::unique_ptr<Keeper>> LocalKeeper::open(const KeeperOptions& options) {
  auto config = open_configuration(options);
  if (!config) return tl::make_unexpected(config.error());
  const config::Settings& settings = config->now().settings;
  auto session = config::session_options(settings, true);
  if (!session) return tl::make_unexpected(session.error());
  const auto clock = std::make_shared<SystemClock>();
  auto time = clock_for(settings.source, std::nullopt, Speed(1), clock);
  if (!time) return tl::make_unexpected(time.error());
  const NoSignals threads_get_none;
  std::unique_ptr<LocalKeeper> keeper(
      new LocalKeeper(options, {std::move(*config), std::move(*session), clock, std::move(*time)}));
  const auto opened = keeper->engine_.wait_until_opened(kOpenPatience);
  if (!opened) return tl::make_unexpected(hangs("open the GPUs"));
  if (!*opened) return tl::make_unexpected(opened->error());
  if (auto looked = keeper->look(); !looked) return tl::make_unexpected(looked.error());
  return std::unique_ptr<Keeper>(std::move(keeper));
}

LocalKeeper::LocalKeeper(const KeeperOptions& options, Parts parts)
    : clock_(parts.clock), time_(parts.time), config_(parts.config), engine_(opener(options, parts)) {
  settings_.publish(std::make_shared<const config::Settings>(config_.now().settings));
}

LocalKeeper::~LocalKeeper() {
  interrupt();
  engine_.ask_to_stop();
  static_cast<void>(engine_.wait(kEndPatience));
}

service::EngineThread::Open LocalKeeper::opener(const KeeperOptions& options, const Parts& parts) const {
  SessionOptions session = parts.session;
  session.detect.machine_root = options.environment("GPUKEEPER_ROOT").value_or("");
  session.engine.on_snapshot = [shown = shown_](const std::shared_ptr<const Snapshot>& snapshot) {
    shown->publish(view_of(snapshot));
  };
  return [session = std::move(session), sources = parts.config.now().settings.source, time = parts.time,
          on = options.monitoring]() -> Result<std::unique_ptr<Session>> {
    auto opened = Session::open(sources, time, session);
    if (opened) static_cast<void>((*opened)->engine().monitor(on));
    return opened;
  };
}

Result<std::shared_ptr<const View>> LocalKeeper::look() {
  auto done = std::make_shared<bool>(false);
  const bool asked = engine_.when_fresh([done, waiting = waiting_] {
    std::scoped_lock lock(waiting->mutex);
    *done = true;
    waiting->changed.notify_all();
  });
  if (!asked) return fail(Errc::unavailable, "look at the GPUs: so many ask already that no more may wait; try again");
  std::unique_lock lock(waiting_->mutex);
  const bool told = waiting_->changed.wait_for(lock, kLookPatience, [&] { return *done || waiting_->over; });
  if (*done) return view();
  return told ? Result<std::shared_ptr<const View>>(fail(Errc::unavailable, "the keeper is being closed"))
              : tl::make_unexpected(hangs("look at the GPUs"));
}

Result<void> LocalKeeper::monitor(bool on) {
  static_cast<void>(engine_.monitor(on));
  return {};
}

Result<State> LocalKeeper::judge(double temperature, double memory_percent) {
  return embed::judge(temperature, memory_percent, settings_.read()->engine.governor.thresholds);
}

Result<Answer> LocalKeeper::ask(const Question&) {
  return fail(Errc::not_supported, "not yet");
}

void LocalKeeper::interrupt() {
  std::scoped_lock lock(waiting_->mutex);
  waiting_->over = true;
  waiting_->changed.notify_all();
}

}  // namespace gpukeeper::embed
