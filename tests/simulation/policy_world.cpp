// Heat and people, made up; the governor and the alerts are real.

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "alert_invariants.hpp"
#include "chance.hpp"
#include "dice.hpp"
#include "governor_invariants.hpp"
#include "policy/andon/andon.hpp"
#include "simulation.hpp"

namespace gpukeeper::simulation {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr auto kQuiet = 15min;   // at the end of a run everything is well and nobody works
constexpr double kWarmsIn = 60;  // seconds, until a board has made two thirds of its way to where it will be

double in_seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// A board with a heat of its own, and what goes wrong with it for a while.
class Board {
 public:
  Board(std::size_t index, Dice& dice) : dice_(dice) {
    Device facts;
    facts.id.text = fmt::format("SIM-{}", index);
    facts.name = "Simulated board";
    facts.vendor = Vendor::nvidia;
    facts.simulated = true;
    device_.index = static_cast<std::uint32_t>(index);
    device_.device = std::make_shared<const Device>(std::move(facts));
    device_.available = true;
    hottest_ = dice.between(50.0, 115.0);
    obeys_ = dice.chance(0.7);
  }

  void step(nanoseconds time, bool quiet) {
    if (quiet) {
      until_work_ = 0;
      work_ = 0;
      lost_ = asleep_ = silent_ = stuck_ = guest_ = 0;
      memory_goal_ = 10;
    } else {
      live(in_seconds(time));
    }
    warm(in_seconds(time));
  }

  void show(DeviceSnapshot& out) const {
    out = device_;
    if (lost_ > 0 || asleep_ > 0) {
      out.available = false;
      out.reading = Reading{asleep_ > 0 ? Missing::asleep : Missing::failed};
      if (asleep_ > 0) out.reading.attention = Attention::asleep;
      return;
    }
    Reading r{Missing::not_supported};
    r.temperature = Celsius(shown_);
    if (silent_ > 0) r.temperature = missing(Missing::failed);
    r.temperature_slowdown = Celsius(93);
    r.utilization = Percent(100 * pace());
    r.memory_total = from_mib(80'000);
    r.memory_used = from_mib(static_cast<std::uint64_t>(800 * memory_));
    r.power = Watts(50 + 350 * pace());
    r.power_limit = Watts(350);
    out.reading = std::move(r);
    if (guest_ > 0) {
      GpuProcess game{.pid = 4711, .name = "game"};
      auto facts = std::make_shared<ProcessFacts>();
      facts->classification.kind = ProcessClass::gaming;
      game.facts = std::move(facts);
      out.processes = std::make_shared<const std::vector<GpuProcess>>(1, std::move(game));
    }
  }

  void advise(double speed) { advice_ = speed; }

 private:
  double pace() const { return work_ * (obeys_ ? advice_ : 1); }

  // Each lasts for a while; most of the time none does.
  void live(double seconds) {
    const auto now_and_then = [&](double& left, double every, double longest) {
      left = std::max(0.0, left - seconds);
      if (left == 0 && dice_.chance(seconds / every)) left = dice_.between(1.0, longest);
    };
    until_work_ -= seconds;
    if (until_work_ <= 0) {
      until_work_ = dice_.between(10.0, 900.0);
      work_ = dice_.chance(0.3) ? 0 : dice_.unit();
      memory_goal_ = dice_.chance(0.2) ? dice_.between(80.0, 100.0) : dice_.between(0.0, 80.0);
    }
    now_and_then(lost_, 4000, 120);
    now_and_then(asleep_, 6000, 120);
    now_and_then(silent_, 1500, 60);
    now_and_then(stuck_, 2500, 60);
    now_and_then(guest_, 2000, 300);
  }

  void warm(double seconds) {
    const double goal = 30 + (hottest_ - 30) * pace();
    temperature_ += (goal - temperature_) * (1 - std::exp(-seconds / kWarmsIn));
    memory_ += (memory_goal_ - memory_) * (1 - std::exp(-seconds / 20));
    if (stuck_ == 0) shown_ = std::round(temperature_ + dice_.between(-1.0, 1.0));
  }

  Dice& dice_;
  DeviceSnapshot device_;
  double hottest_ = 0;
  bool obeys_ = true;
  double work_ = 0;
  double until_work_ = 0;
  double temperature_ = 30;
  double shown_ = 30;
  double memory_ = 10;
  double memory_goal_ = 10;
  double advice_ = 1;
  double lost_ = 0, asleep_ = 0, silent_ = 0, stuck_ = 0, guest_ = 0;  // seconds that are left
};

class PolicyWorld {
 public:
  PolicyWorld(std::uint64_t seed, const Trace& trace)
      : dice_(seed), trace_(trace), governor_(dice_.chance(0.5) ? GovernorSettings{} : some_settings(dice_)) {
    const int boards = dice_.between(1, 4);
    for (int i = 0; i < boards; ++i) boards_.emplace_back(static_cast<std::size_t>(i), dice_);
    pace_ = dice_.chance(0.8) ? 1s : std::chrono::milliseconds(dice_.between(200, 5000));
    snapshot_.monotonic = MonotonicTime(1h);
    snapshot_.taken_at = WallTime(1'780'000'000s);
    snapshot_.devices.resize(boards_.size());
  }

  Outcome run(nanoseconds length) {
    Outcome outcome;
    const auto begin = snapshot_.monotonic;
    const auto play = [&](MonotonicTime end, bool quiet) {
      while (snapshot_.monotonic < end && outcome.wrong.empty()) {
        outcome.wrong = step(quiet);
        ++outcome.steps;
      }
    };
    play(begin + length - kQuiet, false);
    play(snapshot_.monotonic + kQuiet, true);
    if (outcome.wrong.empty()) outcome.wrong = at_the_end();
    outcome.simulated = snapshot_.monotonic - begin;
    outcome.state_changes = invariants_.changes();
    outcome.digest = digest_;
    return outcome;
  }

 private:
  std::vector<std::string> step(bool quiet) {
    // Ticks are late now and then, and the machine sleeps for minutes once in a while.
    nanoseconds time = pace_;
    if (dice_.chance(0.05)) time += std::chrono::milliseconds(dice_.between(1, 900));
    if (!quiet && dice_.chance(0.0001)) time += dice_.seconds(60, 7200);
    snapshot_.monotonic += time;
    snapshot_.taken_at += std::chrono::duration_cast<WallTime::duration>(time);
    ++snapshot_.sequence;
    people(time, quiet);
    for (std::size_t i = 0; i < boards_.size(); ++i) {
      boards_[i].step(time, quiet);
      boards_[i].show(snapshot_.devices[i]);
    }
    governor_.govern(snapshot_);
    const auto events = governor_.take_events();
    for (std::size_t i = 0; i < boards_.size(); ++i) {
      const Throttling& advice = snapshot_.devices[i].throttling;
      boards_[i].advise(advice.speed_multiplier);
      note(static_cast<std::uint64_t>(advice.state) * 7 + static_cast<std::uint64_t>(advice.speed_multiplier * 10));
    }
    andon_.look(snapshot_);
    tell(events);
    auto wrong = invariants_.look(snapshot_, events, governor_.settings(), !governor_.requests().empty());
    for (std::string& line : alerts_.look(*snapshot_.alerts)) wrong.push_back(std::move(line));
    return wrong;
  }

  // Those who change settings and ask for less.
  void people(nanoseconds time, bool quiet) {
    if (quiet) {
      governor_.clear(std::nullopt);
      governor_.clear(DeviceId{"SIM-0"});
      return;
    }
    const double seconds = in_seconds(time);
    if (dice_.chance(seconds / 1800)) {
      say("the settings are changed");
      governor_.configure(some_settings(dice_));
    }
    if (dice_.chance(seconds / 1200)) {
      constexpr std::array kSpeeds = {0.8, 0.5, 0.0};
      const auto device = dice_.chance(0.5) ? std::nullopt : std::optional(DeviceId{"SIM-0"});
      const auto until = dice_.chance(0.2) ? std::nullopt : std::optional(snapshot_.monotonic + dice_.seconds(1, 300));
      say("an operator asks for less");
      static_cast<void>(governor_.request({.device = device,
                                           .multiplier = dice_.one_of<double>(kSpeeds),
                                           .who = "operator",
                                           .since = snapshot_.taken_at,
                                           .until = until}));
    }
    if (dice_.chance(seconds / 600)) governor_.clear(std::nullopt);
    if (dice_.chance(seconds / 600)) governor_.clear(DeviceId{"SIM-0"});
  }

  std::vector<std::string> at_the_end() const {
    std::vector<std::string> wrong;
    for (const DeviceSnapshot& device : snapshot_.devices) {
      if (device.throttling.speed_multiplier == 1) continue;
      wrong.push_back(fmt::format("{} is held back after {} min of quiet: {}", device.device->id.text,
                                  std::chrono::duration_cast<std::chrono::minutes>(kQuiet).count(),
                                  device.throttling.requests.front().reason));
    }
    for (const Alert& alert : *snapshot_.alerts) {
      if (alert.phase == AlertPhase::resolved) continue;
      wrong.push_back(fmt::format("the alert {} goes on: {}", alert.rule, alert.message));
    }
    return wrong;
  }

  void tell(std::span<const GovernorEvent> events) const {
    if (!trace_) return;
    for (const GovernorEvent& event : events) {
      say(fmt::format("{} {} {}>{}{}", event.device->device->id.text, to_string(event.kind), to_string(event.old_state),
                      to_string(event.new_state),
                      event.device->throttling.requests.empty()
                          ? ""
                          : fmt::format(": {}", event.device->throttling.requests.front().reason)));
    }
  }

  void say(std::string_view text) const {
    if (trace_) trace_(fmt::format("{:10.3f}  {}", in_seconds(snapshot_.monotonic - MonotonicTime(1h)), text));
  }

  // FNV-1a.
  void note(std::uint64_t value) { digest_ = (digest_ ^ value) * 0x100000001b3; }

  Dice dice_;
  const Trace& trace_;
  Governor governor_;
  GovernorInvariants invariants_;
  AlertInvariants alerts_;
  Andon andon_{{}, nullptr, &alerts_};
  std::vector<Board> boards_;
  nanoseconds pace_{1s};
  Snapshot snapshot_;
  std::uint64_t digest_ = 0xcbf29ce484222325;
};

}  // namespace

Outcome run_policy(std::uint64_t seed, nanoseconds length, const Trace& trace) {
  return PolicyWorld(seed, trace).run(length);
}

}  // namespace gpukeeper::simulation
