#include "engine/engine.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/files.hpp"
#include "core/playback_clock.hpp"
#include "fakes/fake_backend.hpp"
#include "fakes/fake_clock.hpp"
#include "telemetry/overall.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

// A GPU on which this very process runs.
Sources sources_with_us(const std::shared_ptr<FakeBackend>& backend) {
  backend->plug("GPU-a");
  backend->set_processes("GPU-a", {GpuProcess{.pid = ::getpid(), .found_in_proc = true}});
  Sources sources;
  sources.backends.push_back(backend);
  sources.machine = std::make_shared<RealFiles>();
  return sources;
}

TEST(EngineTest, WithPatienceOneStepSaysWhoTheProcessesAre) {
  const auto backend = std::make_shared<FakeBackend>();
  Engine engine(sources_with_us(backend), std::make_shared<SystemClock>(), {.attribute = true, .who_patience = 1min});
  const auto snapshot = engine.step();
  const ProcessFacts* facts = snapshot->who->find(DeviceId{"GPU-a"}, ::getpid());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->uid, ::getuid());
  EXPECT_EQ(facts->command, "engine_test");
  EXPECT_TRUE(facts->cpu);  // by a second look, as the patience allows for it
}

TEST(EngineTest, NobodyIsLookedUpUnlessAsked) {
  const auto backend = std::make_shared<FakeBackend>();
  Engine engine(sources_with_us(backend), std::make_shared<SystemClock>(), {.who_patience = 1min});
  EXPECT_EQ(engine.step()->who->size(), 0u);
}

TEST(EngineTest, WhatIsBookedStandsInTheSnapshotAndWhoListensGetsEachOnceItIsPublished) {
  const auto booked = std::make_shared<const Booked>();
  std::vector<std::shared_ptr<const Snapshot>> told;
  const Engine* published = nullptr;
  const auto backend = std::make_shared<FakeBackend>();
  Engine engine(sources_with_us(backend), std::make_shared<SystemClock>(),
                {.booked = [&] { return booked; },
                 .on_snapshot =
                     [&](const std::shared_ptr<const Snapshot>& snapshot) {
                       EXPECT_EQ(published->snapshot(), snapshot);
                       told.push_back(snapshot);
                     }});
  published = &engine;
  EXPECT_EQ(engine.step()->booked, booked);
  engine.step();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1]->sequence, 2u);
}

TEST(EngineTest, WhatAScenarioSaysOfItsProcessesIsHandedOn) {
  const auto clock = std::make_shared<SystemClock>();
  const std::vector<std::string> named = {"simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/hot-training.yaml"};
  auto sources = open_sources(named, clock);
  ASSERT_TRUE(sources) << sources.error().message;
  Engine engine(std::move(*sources), clock, {.attribute = true});
  const auto snapshot = engine.step();
  std::size_t named_users = 0;
  for (const DeviceSnapshot& device : snapshot->devices) {
    for (const GpuProcess& process : *device.processes) {
      const ProcessFacts* facts = snapshot->who->find(device.device->id, process.pid);
      ASSERT_TRUE(facts);
      named_users += facts->user.has_value();
    }
  }
  EXPECT_GT(named_users, 0u);
}

TEST(EngineTest, AHotGpuIsAnsweredForByTheVeryFirstStep) {
  const auto backend = std::make_shared<FakeBackend>();
  Reading hot;
  hot.temperature = Celsius(92);
  backend->plug("GPU-a", hot);
  backend->plug("GPU-b", Reading{.temperature = Celsius(50)});
  Sources sources;
  sources.backends.push_back(backend);
  Engine engine(std::move(sources), std::make_shared<FakeClock>());
  const auto snapshot = engine.step();
  EXPECT_TRUE(snapshot->devices[0].throttling.should_throttle());
  EXPECT_EQ(snapshot->devices[0].reading.speed_multiplier, 0.0);
  EXPECT_EQ(snapshot->devices[0].reading.should_throttle, true);
  EXPECT_EQ(snapshot->devices[1].reading.speed_multiplier, 1.0);
  EXPECT_EQ(overall_governed_state(*snapshot), State::critical);
  EXPECT_EQ(overall_speed(*snapshot), 0);
}

TEST(EngineTest, WhoHearsOfATransitionFindsTheSnapshotThatShowsIt) {
  const auto backend = std::make_shared<FakeBackend>();
  backend->plug("GPU-a", Reading{.temperature = Celsius(92)});
  Sources sources;
  sources.backends.push_back(backend);
  const auto events = std::make_shared<EventDispatcher>();
  Engine engine(std::move(sources), std::make_shared<FakeClock>(), {.events = events});
  std::vector<GovernorEventKind> kinds;
  std::vector<std::uint64_t> published;
  events->subscribe("test", std::nullopt, [&](const GovernorEvent& event) {
    kinds.push_back(event.kind);
    published.push_back(engine.snapshot()->sequence);
    EXPECT_EQ(event.sequence, 1u);
  });
  engine.step();
  events->drain();
  using enum GovernorEventKind;
  EXPECT_EQ(kinds, (std::vector{state_change, critical, overheat}));
  EXPECT_EQ(published, (std::vector<std::uint64_t>{1, 1, 1}));
}

TEST(EngineTest, ACommandIsDoneBeforeTheNextSnapshotIsPublished) {
  Engine engine({}, std::make_shared<FakeClock>());
  std::uint64_t seen = 99;
  ASSERT_TRUE(engine.post([&] { seen = engine.snapshot()->sequence; }));
  EXPECT_EQ(seen, 99U);  // not on the thread of the one who posts
  EXPECT_EQ(engine.step()->sequence, 1U);
  EXPECT_EQ(seen, 0U);
}

TEST(EngineTest, EveryStepGoesIntoTheHistoryWithWhatTheJournalCounts) {
  const auto clock = std::make_shared<PlaybackClock>(std::make_shared<FakeClock>(), std::nullopt);
  const auto backend = std::make_shared<FakeBackend>();
  Engine engine(sources_with_us(backend), clock, {.history = {.metrics = {"faults", "temperature_celsius"}}});
  for (int i = 0; i < 3; ++i) {
    Reading reading{Missing::not_supported};
    reading.temperature = Celsius(50 + i);
    backend->plug("GPU-a", reading);
    engine.step();
    clock->move_to(clock->now() + 1s);
  }
  const auto history = engine.history();
  const auto temperatures = history->values(DeviceId{"GPU-a"}, "temperature_celsius", MonotonicTime());
  ASSERT_EQ(temperatures->size(), 3u);
  EXPECT_EQ(temperatures->back().value, 52);
  EXPECT_EQ(history->values(DeviceId{"GPU-a"}, "faults", MonotonicTime())->size(), 3u);
  engine.resize_history({.size = 0});
  EXPECT_TRUE(history->samples(DeviceId{"GPU-a"}).empty());
}

TEST(EngineTest, AProcessThatOnlyGrowsIsSuspectedOfALeak) {
  const auto clock = std::make_shared<PlaybackClock>(std::make_shared<FakeClock>(), std::nullopt);
  const auto backend = std::make_shared<FakeBackend>();
  Engine engine(sources_with_us(backend), clock);
  EXPECT_TRUE(engine.leak_suspects()->empty());
  for (std::uint64_t minute = 0; minute < 12; ++minute) {
    for (int i = 0; i < 6; ++i) {
      backend->set_processes("GPU-a", {GpuProcess{.pid = 42, .memory = from_mib(1000 + minute * 100)}});
      engine.step();
      clock->move_to(clock->now() + 10s);
    }
  }
  ASSERT_EQ(engine.leak_suspects()->size(), 1u);
  EXPECT_EQ(engine.leak_suspects()->front().pid, 42);
}

GovernorSettings yielding() {
  GovernorSettings settings;
  settings.yield = {.enabled = true, .any = true};
  settings.monitor_interval = 1s;
  return settings;
}

TEST(EngineTest, TheGovernorDoesNotYieldToWhomWeSayIsOurs) {
  const auto speed = [](EngineOptions options) {
    const auto backend = std::make_shared<FakeBackend>();
    Engine engine(sources_with_us(backend), std::make_shared<FakeClock>(), std::move(options));
    return engine.step()->devices.at(0).throttling.speed_multiplier;
  };
  EXPECT_EQ(speed({.governor = yielding()}), 0.5) << "unless somebody says otherwise nobody is ours";
  std::vector<std::pair<std::string, std::int64_t>> asked;
  const auto ours = [&](const DeviceSnapshot& device, std::int64_t pid) {
    asked.emplace_back(device.device->id.text, pid);
    return true;
  };
  EXPECT_EQ(speed({.governor = yielding(), .is_ours = ours}), 1);
  EXPECT_EQ(asked, (std::vector<std::pair<std::string, std::int64_t>>{{"GPU-a", ::getpid()}}));
}

TEST(EngineTest, WhatFailsInAStepIsCountedAndToldAndHarmsNothingElse) {
  const auto backend = std::make_shared<FakeBackend>();
  const auto clock = std::make_shared<FakeClock>();
  std::optional<std::string> broken;
  const auto ours = [&](const DeviceSnapshot&, std::int64_t) {
    if (broken) throw std::runtime_error(*broken);
    return false;
  };
  Engine engine(sources_with_us(backend), clock, {.governor = yielding(), .is_ours = ours});
  EXPECT_EQ(engine.step()->devices.at(0).throttling.speed_multiplier, 0.5);
  EXPECT_EQ(*engine.trouble(), EngineTrouble{});

  const auto fires = [](const Snapshot& snapshot) {
    std::vector<std::string> messages;
    for (const Alert& alert : *snapshot.alerts) {
      if (alert.phase == AlertPhase::firing) messages.push_back(alert.message);
    }
    return messages;
  };
  broken = "the ledger is gone";
  for (std::uint64_t i = 1; i <= 2; ++i) {
    clock->advance(1s);
    const auto snapshot = engine.step();
    EXPECT_EQ(*engine.trouble(), (EngineTrouble{i, "the governor: the ledger is gone", true}));
    EXPECT_EQ(snapshot->sequence, 1 + i) << "there is a snapshot";
    EXPECT_EQ(snapshot->devices.at(0).throttling.speed_multiplier, 0.5) << "what was said last holds on";
    EXPECT_EQ(fires(*snapshot), (std::vector<std::string>{"gpukeeper itself fails: the governor: the ledger is gone"}));
    EXPECT_EQ(snapshot->lamp, Lamp::red);
  }
  broken.reset();
  clock->advance(1s);
  EXPECT_EQ(fires(*engine.step()), std::vector<std::string>());
  EXPECT_EQ(*engine.trouble(), (EngineTrouble{2, "the governor: the ledger is gone", false}));
}

class BrokenListener final : public AlertListener {
 public:
  void alerts_changed(const std::vector<AlertChange>&) override { throw std::runtime_error("nobody listens"); }
};

TEST(EngineTest, AlertsThatCannotBeToldAreStillShownAndThatIsToldNext) {
  const auto backend = std::make_shared<FakeBackend>();
  backend->plug("GPU-a", Reading{.temperature = Celsius(95)});
  Sources sources;
  sources.backends.push_back(backend);
  const auto clock = std::make_shared<FakeClock>();
  BrokenListener listener;
  Engine engine(std::move(sources), clock, {.alert_listener = &listener});
  engine.step();
  EXPECT_EQ(engine.trouble()->last, "the alerts: nobody listens");
  clock->advance(1s);
  const auto snapshot = engine.step();
  EXPECT_TRUE(std::ranges::any_of(*snapshot->alerts, [](const Alert& alert) {
    return alert.message == "gpukeeper itself fails: the alerts: nobody listens";
  }));
  EXPECT_EQ(snapshot->lamp, Lamp::red);
}

class BrokenEvents final : public EventSource {
 public:
  std::string_view name() const override { return "broken"; }
  Result<std::vector<DeviceEvent>> take_events() override { throw std::runtime_error("it fell over"); }
};

TEST(EngineTest, ASourceThatThrowsIsOneThatFails) {
  Sources sources;
  sources.events.push_back(std::make_shared<BrokenEvents>());
  Engine engine(std::move(sources), std::make_shared<SystemClock>());
  const auto snapshot = engine.step();
  ASSERT_EQ(snapshot->event_sources.size(), 1U);
  EXPECT_FALSE(snapshot->event_sources[0].available);
  EXPECT_EQ(snapshot->event_sources[0].message, "gpukeeper itself fails here: it fell over");
}

// Tells no date: with that a step fails before there is a snapshot.
class BrokenCalendar final : public Clock {
 public:
  MonotonicTime now() const override { return clock_.now(); }
  WallTime wall() const override {
    if (broken) throw std::runtime_error("there is no date");
    return clock_.wall();
  }
  void sleep_until(MonotonicTime until, std::stop_token stop) override { clock_.sleep_until(until, std::move(stop)); }

  std::atomic<bool> broken = true;

 private:
  SystemClock clock_;
};

TEST(EngineTest, AStepThatFailsAsAWholeIsCountedAndThereIsANext) {
  const auto clock = std::make_shared<BrokenCalendar>();
  Engine engine({}, clock, {.sampler = {.period = 1ms}});
  const std::jthread thread([&](std::stop_token stop) { engine.run(std::move(stop)); });
  while (engine.trouble()->count < 3) std::this_thread::yield();
  EXPECT_EQ(engine.trouble()->last, "the step: there is no date");
  EXPECT_TRUE(engine.trouble()->lasting);
  EXPECT_EQ(engine.snapshot()->sequence, 0U);
  clock->broken = false;
  const auto is_told = [&] {
    return std::ranges::any_of(*engine.snapshot()->alerts, [](const Alert& alert) {
      return alert.message == "gpukeeper itself fails: the step: there is no date";
    });
  };
  while (!is_told() || engine.trouble()->lasting) std::this_thread::yield();
}

TEST(EngineTest, OtherSettingsHoldFromTheNextStepOn) {
  const auto backend = std::make_shared<FakeBackend>();
  Reading reading{Missing::not_supported};
  reading.temperature = Celsius(70);
  backend->plug("GPU-a", reading);
  Sources sources;
  sources.backends.push_back(backend);
  const auto clock = std::make_shared<FakeClock>();
  Engine engine(std::move(sources), clock);
  EXPECT_EQ(engine.step()->devices.at(0).state, State::normal);
  EngineSettings settings;
  settings.governor.thresholds.temp_optimal = Celsius(72);
  settings.sample_interval = 250ms;
  ASSERT_TRUE(engine.post([&] { engine.configure(settings); }));
  EXPECT_EQ(engine.period(), 1s);
  clock->advance(5s);
  EXPECT_EQ(engine.step()->devices.at(0).state, State::optimal);
  EXPECT_EQ(engine.period(), 250ms);
}

// In real time, with a period of a day: whatever happens soon was not waited for.
class RunningEngine : public testing::Test {
 protected:
  explicit RunningEngine(std::chrono::nanoseconds period = 24h) : backend_(std::make_shared<FakeBackend>()) {
    backend_->plug("GPU-a");
    Sources sources;
    sources.backends.push_back(backend_);
    engine_.emplace(std::move(sources), std::make_shared<SystemClock>(), EngineOptions{.sampler = {.period = period}});
    thread_ = std::jthread([this](std::stop_token stop) { engine_->run(std::move(stop)); });
    await(1);
  }

  void await(std::uint64_t sequence) const {
    while (engine_->snapshot()->sequence < sequence) std::this_thread::yield();
  }
  // Until the latest is no longer fresh.
  void await_age() const {
    while (SystemClock().now() - engine_->snapshot()->monotonic <= Engine::kFresh) std::this_thread::yield();
  }
  // Once the engine's thread has done all that came before.
  void settle() {
    std::promise<void> done;
    ASSERT_TRUE(engine_->post([&] { done.set_value(); }));
    done.get_future().wait();
  }
  static std::size_t threads() {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}));
  }

  const std::shared_ptr<FakeBackend> backend_;
  std::optional<Engine> engine_;
  std::jthread thread_;
};

TEST_F(RunningEngine, MonitoringIsTurnedOffAndOnOnce) {
  EXPECT_TRUE(engine_->monitoring());
  EXPECT_FALSE(engine_->monitor(true));
  EXPECT_TRUE(engine_->monitor(false));
  EXPECT_FALSE(engine_->monitor(false));
  EXPECT_FALSE(engine_->monitoring());
  EXPECT_TRUE(engine_->monitor(true));
}

TEST_F(RunningEngine, TurnedOnItLooksAtOnce) {
  engine_->monitor(false);
  await_age();
  engine_->monitor(true);
  await(2);
}

TEST_F(RunningEngine, TurnedAThousandTimesThereIsOneThreadAndItStillSamples) {
  const std::size_t before = threads();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(engine_->monitor(false));
    EXPECT_TRUE(engine_->monitor(true));
  }
  settle();
  EXPECT_LE(threads(), before);
  EXPECT_TRUE(engine_->monitoring());
}

TEST_F(RunningEngine, WhileItIsOffWhoAsksGetsASampleAndAllWhoAskMeanwhileShareIt) {
  engine_->monitor(false);
  await_age();
  const auto before = engine_->snapshot()->sequence;
  std::promise<void> held;
  ASSERT_TRUE(engine_->post([until = held.get_future().share()] { until.wait(); }));  // until all have asked
  std::atomic<int> answered = 0;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(engine_->when_fresh([&] { ++answered; }));
  held.set_value();
  while (answered < 100) std::this_thread::yield();
  EXPECT_EQ(engine_->snapshot()->sequence, before + 1);
}

TEST_F(RunningEngine, MoreThanABoundMayNotWait) {
  std::promise<void> holding;
  std::promise<void> holds;
  const auto held = holding.get_future().share();
  ASSERT_TRUE(engine_->post([&holds, held] {
    holds.set_value();
    held.wait();
  }));
  holds.get_future().wait();
  std::size_t taken = 0;
  while (engine_->when_fresh([] {})) ++taken;
  EXPECT_EQ(taken, Engine::kMostAskers);
  holding.set_value();
}

TEST_F(RunningEngine, AnotherPeriodIsNotWaitedForUntilTheOldOneIsOver) {
  EngineSettings settings;
  settings.sample_interval = 1ms;
  ASSERT_TRUE(engine_->post([&] { engine_->configure(settings); }));
  await(3);
}

}  // namespace
}  // namespace gpukeeper
