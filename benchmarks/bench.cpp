// Every figure that the project promises, with its goal beside it, on fake NVIDIA GPUs whose own time is counted by the
// fake library and taken off. Shared machines are noisy: compare rows of one run, and run it twice.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "attribution.hpp"
#include "backend/nvidia_smi/parse.hpp"
#include "core/display_text.hpp"
#include "database.hpp"
#include "embed.hpp"
#include "fakes/corpus.hpp"
#include "fakes/fake_clock.hpp"
#include "figures.hpp"
#include "forecast.hpp"
#include "governor.hpp"
#include "history.hpp"
#include "history_store.hpp"
#include "ledger.hpp"
#include "load.hpp"
#include "machine.hpp"
#include "metrics.hpp"
#include "python.hpp"
#include "recording.hpp"
#include "report.hpp"
#include "serve.hpp"
#include "simulation.hpp"
#include "sweep.hpp"
#include "telemetry/runner.hpp"
#include "telemetry/sampler.hpp"
#include "top.hpp"
#include "web.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

nanoseconds wall(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::steady_clock::now() - begin;
}

struct Run {
  double wall_ms = 0;
  double peak_mib = 0;
  int status = -1;
};

Run run_program(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  Run run;
  rusage usage{};
  run.wall_ms = milliseconds(wall([&] {
    pid_t pid = 0;
    if (::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) return;
    ::wait4(pid, &run.status, 0, &usage);
  }));
  posix_spawn_file_actions_destroy(&actions);
  run.peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  return run;
}

struct ColdCommand {
  std::vector<std::string> words;
  double goal_ms;
};

// First of all, while this process is small: a child's peak counts that of the process it was forked from.
void cold_start() {
  heading("Cold start: 8 GPUs, 32 processes on each");
  BusyMachine machine;
  const ColdCommand commands[] = {{{"status", "--json"}, 10}, {{"ps"}, 30}, {{"why"}, 30}};
  for (const auto& [words, goal_ms] : commands) {
    std::vector<std::string> command{GPUKEEPER_BINARY};
    command.insert(command.end(), words.begin(), words.end());
    command.insert(command.end(), {"--source", BusyMachine::source()});
    const std::string name = fmt::format("gpukeeper {}", fmt::join(words, " "));
    std::vector<double> baseline, ours, peak;
    for (int i = 0; i < 40; ++i) {
      baseline.push_back(run_program({"true"}).wall_ms);
      const Run run = run_program(command);
      if (run.status != 0) {
        fmt::print("  {} failed with status {}\n", name, run.status);
        return;
      }
      ours.push_back(run.wall_ms);
      peak.push_back(run.peak_mib);
    }
    figure(fmt::format("{}: wall time above `true`, median of 40", name), median(ours) - median(baseline), "ms",
           goal_ms);
    figure(fmt::format("{}: peak resident memory", name), median(peak), "MiB", 12);
  }
  // The fake driver maps the machine that it plays into whoever loads it; a real one maps libraries of its own.
  figure("of each peak, the fake driver's machine, at most", sizeof(fake_nvml::State) / 1048576.0, "MiB");
}

void ticks() {
  heading("Ticks: 8 GPUs, 32 processes on each, process lists every 3 s");
  BusyMachine machine;
  const auto clock = std::make_shared<FakeClock>();
  ThreadRunner runner;
  Published<Snapshot> out;
  Sampler sampler(BusyMachine::open(clock), *clock, runner, out);
  const auto tick = [&] {
    sampler.tick();
    clock->advance(1s);
  };
  for (int i = 0; i < 60; ++i) tick();

  constexpr int kTicks = 3000;
  machine.nvml().reset_counters();
  const auto cpu = cpu_time();
  for (int i = 0; i < kTicks; ++i) tick();
  const auto spent = cpu_time() - cpu;
  const auto driver = machine.nvml().total_time_inside();
  figure("driver calls a second for each GPU", static_cast<double>(machine.nvml().total_calls()) / kTicks / 8, "calls",
         8);
  figure("CPU of a tick above the driver's time, back to back", microseconds((spent - driver) / kTicks), "us", 150);
  figure("CPU of a tick in the (fake) driver", microseconds(driver / kTicks), "us");

  // At the pace of a real machine caches are cold at every tick.
  constexpr int kSlowTicks = 100;
  machine.nvml().reset_counters();
  const auto slow_cpu = cpu_time();
  for (int i = 0; i < kSlowTicks; ++i) {
    tick();
    std::this_thread::sleep_for(50ms);
  }
  const auto slow_spent = cpu_time() - slow_cpu - machine.nvml().total_time_inside();
  figure("CPU of a tick above the driver's time, 50 ms apart", microseconds(slow_spent / kSlowTicks), "us", 150);
}

void loop() {
  heading("The sampling loop at 1 Hz, 8 GPUs, for 20 s");
  BusyMachine machine;
  const auto clock = std::make_shared<SystemClock>();
  ThreadRunner runner;
  Published<Snapshot> out;
  Sampler sampler(BusyMachine::open(clock), *clock, runner, out);
  sampler.tick();
  const auto cpu = cpu_time();
  const auto elapsed = wall([&] {
    std::jthread thread([&](std::stop_token stop) { sampler.run(stop); });
    std::this_thread::sleep_for(20s);
  });
  figure("CPU, share of a core", 100.0 * microseconds(cpu_time() - cpu) / microseconds(elapsed), "%", 0.1);
  figure("resident memory", resident_mib(), "MiB", 15);
}

void growth() {
  heading("Growth over 100,000 ticks, 8 GPUs");
  BusyMachine machine;
  const auto clock = std::make_shared<FakeClock>();
  ThreadRunner runner;
  Published<Snapshot> out;
  Sampler sampler(BusyMachine::open(clock), *clock, runner, out);
  const auto ticks = [&](int count) {
    for (int i = 0; i < count; ++i) {
      sampler.tick();
      clock->advance(1s);
    }
    return resident_mib();
  };
  const double before = ticks(10'000);
  const double half = ticks(50'000);
  const double after = ticks(50'000);
  figure("resident memory after 10,000 ticks", before, "MiB");
  figure("growth over the next 50,000", half - before, "MiB");
  // Zero, as far as it can be seen: the kernel counts in pages of 0.004 MiB.
  figure("growth over the 50,000 after these", after - half, "MiB", 0.01);
}

void hang() {
  heading("One hung GPU of eight");
  BusyMachine machine;
  const auto clock = std::make_shared<FakeClock>();
  std::vector<double> healthy, first, later;
  for (int round = 0; round < 20; ++round) {
    ThreadRunner runner;
    Published<Snapshot> out;
    Sampler sampler(BusyMachine::open(clock), *clock, runner, out);
    const auto timed_tick = [&] {
      const auto took = wall([&] { sampler.tick(); });
      clock->advance(1s);
      return microseconds(took);
    };
    for (int i = 0; i < 30; ++i) timed_tick();
    for (int i = 0; i < 20; ++i) healthy.push_back(timed_tick());
    machine.nvml().hang(FakeNvml::Symbol::kAny, 3);
    first.push_back(timed_tick());
    for (int i = 0; i < 5; ++i) later.push_back(timed_tick());
    machine.nvml().clear_faults();
  }
  figure("a tick with all healthy, median", median(healthy), "us");
  figure("delay of the tick in which one hangs, median", median(first) - median(healthy), "us", 1000);
  figure("delay of the tick in which one hangs, worst of 20", std::ranges::max(first) - median(healthy), "us");
  figure("delay of the ticks after it, median", median(later) - median(healthy), "us", 1000);
}

void parse() {
  heading("Parsing nvidia-smi -q -x of 8 GPUs");
  const auto folder = corpus();
  if (!folder) {
    fmt::print("  skipped: the recordings are not here (set GPUKEEPER_CORPUS)\n");
    return;
  }
  std::ifstream file(*folder / "nvidia-smi/h100-80gb-hbm3-x8__580.105.08.xml");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<double> times;
  for (int i = 0; i < 200; ++i) {
    times.push_back(milliseconds(wall([&] {
      if (!parse_nvidia_smi(text)) std::abort();
    })));
  }
  figure(fmt::format("parse of {} KiB, median of 200", text.size() / 1024), median(times), "ms", 3);
}

// Others on the same fake, where they can be had.
void others() {
  heading("Other monitors on the same fake GPUs, 10 s each at their own pace (8 GPUs, 32 processes on each)");
  BusyMachine machine;
  const std::string library = FakeNvml::library_folder().string();
  const std::array<std::pair<const char*, const char*>, 3> monitors = {
      {{"nvtop", "nvtop"}, {"nvitop", "nvitop"}, {"gpustat", "gpustat -i 1"}}};
  for (const auto& [name, command] : monitors) {
    if (run_program({"sh", "-c", fmt::format("command -v {}", name)}).status != 0) {
      fmt::print("  {}: not on this machine\n", name);
      continue;
    }
    machine.nvml().reset_counters();
    // `script` gives them a terminal; `timeout` ends them.
    run_program({"sh", "-c",
                 fmt::format("LD_LIBRARY_PATH={} TERM=xterm timeout 10 script -qefc 'stty rows 50 cols 180; exec {}' "
                             "/dev/null </dev/null",
                             library, command)});
    figure(fmt::format("{}: driver calls a second for each GPU", name),
           static_cast<double>(machine.nvml().total_calls()) / 10 / 8, "calls");
  }
}

}  // namespace
}  // namespace gpukeeper::bench

int main(int argc, char** argv) {
  using namespace gpukeeper::bench;
  const std::string only = argc > 1 ? argv[1] : "";
  constexpr std::pair<const char*, void (*)()> kSections[] = {{"cold", cold_start},
                                                              {"ticks", ticks},
                                                              {"loop", loop},
                                                              {"growth", growth},
                                                              {"hang", hang},
                                                              {"parse", parse},
                                                              {"who", attribution},
                                                              {"sweep", sweep},
                                                              {"governor", governor},
                                                              {"ledger", ledger},
                                                              {"simulation", simulation},
                                                              {"recording", recording},
                                                              {"history", history},
                                                              {"history_store", history_store},
                                                              {"report", report},
                                                              {"forecast", forecast},
                                                              {"metrics", metrics},
                                                              {"serve", serve},
                                                              {"top", top},
                                                              {"load", load},
                                                              {"database", database},
                                                              {"embed", embed},
                                                              {"python", python},
                                                              {"web", web},
                                                              {"others", others}};
  bool found = only.empty();
  for (const auto& [name, section] : kSections) {
    if (!only.empty() && only != name) continue;
    found = true;
    section();
  }
  if (found) return 0;
  fmt::print(stderr, "bench: no section '{}'; there are:", gpukeeper::harmless(only));
  for (const auto& [name, section] : kSections) fmt::print(stderr, " {}", name);
  fmt::print(stderr, "\n");
  return 2;
}
