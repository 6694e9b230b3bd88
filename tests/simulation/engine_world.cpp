// A whole machine, made up; everything from the sampler to the governor's subscribers is real.

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "backend/simulated/simulated_backend.hpp"
#include "chance.hpp"
#include "core/playback_clock.hpp"
#include "dice.hpp"
#include "engine/engine.hpp"
#include "fakes/fake_clock.hpp"
#include "governor_invariants.hpp"
#include "hands.hpp"
#include "history_invariants.hpp"
#include "simulation.hpp"

namespace gpukeeper::simulation {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds kQuiet = 15min;  // from then on the scenario is cool, and nothing is wrong any more

double in_seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

/// Writes a scenario by chance.
class ScenarioWriter {
 public:
  ScenarioWriter(std::uint64_t seed, nanoseconds length)
      : dice_(seed ^ 0x5ce9a110), seed_(seed), busy_until_(static_cast<int>(in_seconds(length - kQuiet))) {}

  std::string write() {
    std::string text = fmt::format("name: Seed {}\nseed: {}\ndevices:\n", seed_, seed_ % 1'000'000);
    const int devices = dice_.between(1, 4);
    for (int i = 0; i < devices; ++i) text += device(i);
    return text;
  }

 private:
  // A level that jumps or glides from one moment to the next, and ends where nothing is asked for.
  std::string curve(double least, double most, double rest) {
    std::string points;
    for (int at = 0; at < busy_until_; at += dice_.between(20, 400)) {
      points += fmt::format("[{}s, {:.1f}], ", at, dice_.between(least, most));
    }
    points += fmt::format("[{}s, {:.1f}]", busy_until_, rest);
    return fmt::format("{{{}: [{}], jitter: 1}}", dice_.chance(0.5) ? "points" : "steps", points);
  }

  std::string device(int index) {
    std::string text = fmt::format(
        "  - name: NVIDIA L4\n    vendor: nvidia\n    uuid: SIM-{}\n    pci_address: 0000:{:02x}:00.0\n"
        "    memory: 24GiB\n    power_limit: 72\n    metrics:\n",
        index, index + 1);
    text += fmt::format("      temperature_celsius: {}\n", curve(30, dice_.between(50.0, 105.0), 35));
    text += fmt::format("      utilization_percent: {}\n", curve(0, 100, 0));
    text += "      power_watts: 20\n      temperature_slowdown_celsius: 93\n";
    text += "    processes:\n      - {name: python3, memory: 1GiB, until: " + fmt::format("{}s}}\n", busy_until_);
    if (dice_.chance(0.5)) {
      text += fmt::format("      - {{name: hl2_linux, memory: 1GiB, from: {}s, until: {}s}}\n", busy_until_ / 3,
                          busy_until_ / 2);
    }
    text += "    faults:\n      - {kind: xid, start: 1s, xid: 31}\n";
    constexpr std::array<std::string_view, 8> kFaults = {"hang",
                                                         "lost",
                                                         "driver_mismatch",
                                                         "error",
                                                         "asleep",
                                                         "disappear",
                                                         "flapping, metrics: [temperature_celsius], period: 8s",
                                                         "missing, metrics: [temperature_celsius], reason: failed"};
    for (int at = dice_.between(10, 600); at + 200 < busy_until_; at += dice_.between(200, 1500)) {
      text += fmt::format("      - {{kind: {}, start: {}s, duration: {}s}}\n", dice_.one_of<std::string_view>(kFaults),
                          at, dice_.between(1, 120));
    }
    return text;
  }

  Dice dice_;
  const std::uint64_t seed_;
  const int busy_until_;
};

class EngineWorld {
 public:
  EngineWorld(std::uint64_t seed, nanoseconds length, const Trace& trace)
      : dice_(seed),
        trace_(trace),
        settings_(dice_.chance(0.5) ? GovernorSettings{} : some_settings(dice_)),
        history_settings_(some_lengths(seed)),
        history_invariants_(history_settings_.span),
        clock_(std::make_shared<PlaybackClock>(std::make_shared<FakeClock>(), std::nullopt)),
        hands_(seed, clock_),
        events_(std::make_shared<EventDispatcher>()),
        engine_(open(seed, length), clock_,
                {.attribute = true, .history = history_settings_, .governor = settings_, .events = events_}) {
    events_->subscribe("the simulation", std::nullopt, [this](const GovernorEvent& event) {
      const std::scoped_lock lock(mutex_);
      if (engine_.snapshot()->sequence < event.sequence) early_ = true;
      heard_.push_back(event);
    });
  }

  Outcome run(nanoseconds length) {
    Outcome outcome;
    const auto begin = clock_->now();
    while (clock_->now() < begin + length && outcome.wrong.empty()) {
      outcome.wrong = step(clock_->now() >= begin + length - kQuiet);
      ++outcome.steps;
    }
    if (outcome.wrong.empty()) outcome.wrong = hands_.end();
    outcome.simulated = clock_->now() - begin;
    outcome.state_changes = invariants_.changes();
    outcome.hand_changes = hands_.changes();
    outcome.digest = digest_;
    return outcome;
  }

 private:
  // Half of them forget while they run.
  static HistorySettings some_lengths(std::uint64_t seed) {
    Dice dice(seed ^ 0x815704);  // of its own, so that a seed's story is what it was
    HistorySettings settings;
    if (dice.chance(0.5)) settings.span = dice.seconds(60, 1200);
    return settings;
  }

  Sources open(std::uint64_t seed, nanoseconds length) {
    auto scenario = simulated::parse_scenario(scenario_of(seed, length), "scenario");
    if (!scenario) throw std::logic_error(scenario.error().message);
    auto backend = std::make_shared<simulated::SimulatedBackend>(std::move(*scenario), *clock_);
    Sources sources;
    sources.events.push_back(backend);
    sources.backends.push_back(std::move(backend));
    return sources;
  }

  std::vector<std::string> step(bool quiet) {
    clock_->move_to(clock_->now() + 1s);
    people(quiet);
    const auto snapshot = engine_.step();
    events_->drain();
    std::vector<GovernorEvent> heard;
    {
      const std::scoped_lock lock(mutex_);
      heard.swap(heard_);
    }
    tell(*snapshot, heard);
    for (const DeviceSnapshot& device : snapshot->devices) {
      note(static_cast<std::uint64_t>(device.throttling.state));
      note(static_cast<std::uint64_t>(device.throttling.speed_multiplier * 10));
    }
    auto wrong = invariants_.look(*snapshot, heard, settings_, asks_);
    std::ranges::move(history_invariants_.look(*engine_.history(), *snapshot), std::back_inserter(wrong));
    std::ranges::move(hands_.act(*snapshot, quiet), std::back_inserter(wrong));
    if (snapshot->sequence != ++sequence_) wrong.push_back("a snapshot was left out");
    if (early_) wrong.push_back("an event was delivered before its snapshot was published");
    return wrong;
  }

  // Commands come in as they would from clients, and hold from the step on that completes the next snapshot.
  void people(bool quiet) {
    if (quiet || dice_.chance(1.0 / 600)) {
      asks_ = false;
      command([this] { engine_.governor().clear(std::nullopt); });
    }
    if (quiet) return;
    if (dice_.chance(1.0 / 1800)) {
      settings_ = some_settings(dice_);
      command([this, settings = settings_] { engine_.governor().configure(settings); });
    }
    if (dice_.chance(1.0 / 1200)) {
      asks_ = true;
      command([this] { static_cast<void>(engine_.governor().request({.multiplier = 0.5, .who = "operator"})); });
    }
  }

  void command(CommandQueue::Command command) {
    if (!engine_.post(std::move(command))) throw std::logic_error("the engine takes no command");
  }

  void tell(const Snapshot& snapshot, std::span<const GovernorEvent> events) const {
    if (!trace_) return;
    for (const GovernorEvent& event : events) {
      trace_(fmt::format("{:6}  {} {} {}>{}", snapshot.sequence, event.device->device->id.text, to_string(event.kind),
                         to_string(event.old_state), to_string(event.new_state)));
    }
  }

  // FNV-1a.
  void note(std::uint64_t value) { digest_ = (digest_ ^ value) * 0x100000001b3; }

  Dice dice_;
  const Trace& trace_;
  GovernorSettings settings_;
  bool asks_ = false;
  GovernorInvariants invariants_;
  const HistorySettings history_settings_;
  HistoryInvariants history_invariants_;
  std::uint64_t sequence_ = 0;
  std::uint64_t digest_ = 0xcbf29ce484222325;

  std::mutex mutex_;
  std::vector<GovernorEvent> heard_;  // guarded by mutex_, as below
  bool early_ = false;

  const std::shared_ptr<PlaybackClock> clock_;
  Hands hands_;
  const std::shared_ptr<EventDispatcher> events_;
  Engine engine_;
};

}  // namespace

std::string scenario_of(std::uint64_t seed, nanoseconds length) {
  return ScenarioWriter(seed, length).write();
}

Outcome run_engine(std::uint64_t seed, nanoseconds length, const Trace& trace) {
  return EngineWorld(seed, length, trace).run(length);
}

}  // namespace gpukeeper::simulation
