#include "embed.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gpukeeper/gpukeeper.hpp>

#include "core/published.hpp"
#include "fakes/temporary_folder.hpp"
#include "figures.hpp"

// Of the inside only what has no names of the public headers in it is included here.
namespace gpukeeper::bench {
namespace {

using Steady = std::chrono::steady_clock;

// What one call takes, in ns: the median of some runs of many.
double nanoseconds_of(int calls, auto call) {
  std::vector<double> runs;
  for (int run = 0; run < 15; ++run) {
    const auto begin = Steady::now();
    for (int i = 0; i < calls; ++i) call();
    runs.push_back(std::chrono::duration<double, std::nano>(Steady::now() - begin).count() / calls);
  }
  std::ranges::nth_element(runs, runs.begin() + 7);
  return runs[7];
}

// A program that prints what nvidia-smi would for a query of one GPU, and does nothing else.
std::string printing_program(const TemporaryFolder& folder) {
  const std::string path = folder.path() / "nvidia-smi";
  std::ofstream(path) << "#!/bin/sh\necho '0, NVIDIA GeForce RTX 4090, 65, 73, 2048, 24564, 329.10, 450.00'\n";
  ::chmod(path.c_str(), 0755);
  return path;
}

// Starts it, reads what it prints to the end, and waits for it: what a program does that asks nvidia-smi.
void ask(const std::string& program) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::string path = program;
  char* arguments[] = {path.data(), nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, path.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  char said[256];
  while (failed == 0 && ::read(ends[0], said, sizeof said) > 0) {
  }
  ::close(ends[0]);
  if (failed == 0) ::waitpid(pid, nullptr, 0);
}

void book_and_give_back(gk_keeper* keeper) {
  gk_request wanted{};
  wanted.size = sizeof wanted;
  wanted.service = "bench";
  wanted.bytes = 1 << 20;
  wanted.device = GK_ALL_DEVICES;
  gk_lease lease{};
  lease.size = sizeof lease;
  const bool done = gk_allocate(keeper, &wanted, &lease, nullptr) == GK_OK && gk_release(keeper, lease.id) == GK_OK;
  if (!done) throw std::runtime_error(gk_last_error());
}

// The ledger of a state directory, whose lock is taken for each call.
void on_disk() {
  const TemporaryFolder folder;
  const KeeperOptions options{.source = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml",
                              .state_dir = folder.path() / "state",
                              .monitoring = true};
  const Keeper keeper(options);
  const Keeper other(options);
  book_and_give_back(keeper.get());
  figure("gk_allocate and gk_release, the machine's ledger",
         nanoseconds_of(200, [&] { book_and_give_back(keeper.get()); }) / 1e3, "us", 300);
  figure("the same by two keepers in turn, each of which finds what the other wrote",
         nanoseconds_of(10,
                        [&] {
                          book_and_give_back(keeper.get());
                          book_and_give_back(other.get());
                        }) /
             2e3,
         "us");
  figure("gk_open and gk_close, a look at the GPUs in between",
         nanoseconds_of(10, [&] { const Keeper opened({.source = options.source, .ledger_in_memory = true}); }) / 1e6,
         "ms");
}

}  // namespace

void embed() {
  heading("In a program of one's own: two simulated GPUs");
  const Keeper keeper({.source = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml",
                       .ledger_in_memory = true,
                       .monitoring = true});
  static_cast<void>(keeper.read(0));
  const Published<std::string> published;
  figure("the published snapshot, read", nanoseconds_of(100'000, [&] { static_cast<void>(published.read()); }), "ns",
         50);
  gk_reading reading{};
  reading.size = sizeof reading;
  const double latest = nanoseconds_of(100'000, [&] { gk_latest(keeper.get(), 0, &reading); });
  figure("gk_latest: a GPU's latest reading, through the C interface", latest, "ns");
  figure("Keeper::read: no older than 100 ms, as a record",
         nanoseconds_of(10'000, [&] { static_cast<void>(keeper.read(0)); }), "ns");
  const GpuMonitor monitor = GpuMonitor::of(keeper);
  figure("GpuMonitor::collect_metrics: all GPUs and their processes",
         nanoseconds_of(20, [&] { static_cast<void>(monitor.collect_metrics()); }) / 1e3, "us");
  figure("Keeper::allocate and its release, a ledger in memory",
         nanoseconds_of(200, [&] { static_cast<void>(keeper.allocate(1 << 20)); }) / 1e3, "us");

  figure("gk_throttle of all GPUs",
         nanoseconds_of(20'000,
                        [&] {
                          gk_throttling throttling{};
                          throttling.size = sizeof throttling;
                          gk_throttle(keeper.get(), GK_ALL_DEVICES, &throttling);
                        }),
         "ns");
  figure("gk_allocate and gk_release, a ledger in memory",
         nanoseconds_of(500, [&] { book_and_give_back(keeper.get()); }) / 1e3, "us");
  on_disk();

  const TemporaryFolder folder;
  const std::string program = printing_program(folder);
  const double asked = nanoseconds_of(20, [&] { ask(program); });
  figure("a program that only prints as nvidia-smi does, asked", asked / 1e3, "us");
  figure_at_least("so many times as fast is gk_latest", asked / latest, "times", 1000);
}

}  // namespace gpukeeper::bench
