#include "sweep.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

#include "backend/amdgpu/amdgpu_backend.hpp"
#include "backend/amdgpu/amdgpu_machines.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "backend/sysfs/sysfs_source.hpp"
#include "crowd.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/memory_files.hpp"
#include "figures.hpp"
#include "machine.hpp"
#include "telemetry/runner.hpp"
#include "telemetry/sampler.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr int kProcesses = 5000;
constexpr int kDescriptors = 10;
constexpr int kOnGpu = 50;

/// This machine's /proc, except that the last descriptor of some processes is said to be a GPU's: each access is made
/// in truth, and only its answer is replaced. The GPU itself, a gaming board, is made up in memory.
class PretendGpu final : public Files {
 public:
  explicit PretendGpu(const std::vector<pid_t>& crowd) {
    for (int i = 0; i < kOnGpu; ++i) on_gpu_.insert(crowd[crowd.size() * static_cast<std::size_t>(i) / kOnGpu]);
    amdgpu_machines::add_board(board_);
  }

  Result<std::string> read(std::string_view path) const override {
    if (!path.starts_with("/proc/")) return board_.read(path);
    auto text = real_.read(path);
    if (!text || !path.ends_with(kFdinfo) || !on_gpu_.contains(pid_in(path))) return text;
    return fmt::format(
        "pos:\t0\nflags:\t02100002\nmnt_id:\t26\nino:\t1043\ndrm-driver:\tamdgpu\ndrm-client-id:\t{}\n"
        "drm-pdev:\t0000:03:00.0\npasid:\t32770\ndrm-memory-vram:\t524288 KiB\ndrm-memory-gtt:\t2048 KiB\n"
        "drm-memory-cpu:\t0 KiB\ndrm-shared-vram:\t0 KiB\ndrm-engine-gfx:\t{} ns\ndrm-engine-compute:\t0 ns\n",
        pid_in(path), steady_clock::now().time_since_epoch().count() / kOnGpu);
  }
  Result<std::vector<std::string>> list(std::string_view folder) const override {
    return folder.starts_with("/proc") ? real_.list(folder) : board_.list(folder);
  }
  Result<std::string> read_link(std::string_view path) const override {
    if (!path.starts_with("/proc/")) return board_.read_link(path);
    auto target = real_.read_link(path);
    if (target && path.ends_with(kFd) && on_gpu_.contains(pid_in(path))) return std::string("/dev/dri/renderD128");
    return target;
  }
  Result<FileFacts> stat(std::string_view path) const override {
    return path.starts_with("/proc/") ? real_.stat(path) : board_.stat(path);
  }

 private:
  static constexpr std::string_view kFd = "/fd/9", kFdinfo = "/fdinfo/9";
  static_assert(kDescriptors == 10, "9 is the last one");
  static pid_t pid_in(std::string_view path) {
    pid_t pid = 0;
    std::from_chars(path.data() + sizeof("/proc/") - 1, path.data() + path.size(), pid);
    return pid;
  }

  const RealFiles real_;
  MemoryFiles board_;
  std::unordered_set<pid_t> on_gpu_;
};

double percentile(std::vector<double> values, double part) {
  const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + at);
  return values[static_cast<std::size_t>(at)];
}

nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

bool everybody_seen(const DrmScan& scan) {
  return scan.valid && scan.unseen == 0;
}

void first_walk(DrmProcesses& processes) {
  const auto cpu = cpu_time();
  const auto begin = steady_clock::now();
  const auto first = processes.scan();
  figure("the first one who asks waits (250 ms, and waking up)", milliseconds(steady_clock::now() - begin), "ms", 300);
  if (first->valid) {
    fmt::print("  what it is given: {} of {} processes on the GPU, {} not looked at yet\n",
               first->device(PciAddress{0, 3, 0, 0}).processes.size(), kOnGpu, first->unseen);
  }
  while (!everybody_seen(*processes.scan())) std::this_thread::sleep_for(5ms);
  figure("until all were looked at once", milliseconds(steady_clock::now() - begin), "ms");
  figure("CPU of this first walk (every 5 s that of one at a time)", milliseconds(cpu_time() - cpu), "ms");
}

void at_its_own_pace(DrmProcesses& processes) {
  std::this_thread::sleep_for(6s);  // past the first walk
  const auto cpu = cpu_time();
  const auto begin = steady_clock::now();
  double longest = 0;
  for (int second = 0; second < 60; ++second) {
    const auto asked = steady_clock::now();
    const auto scan = processes.scan();
    longest = std::max(longest, milliseconds(steady_clock::now() - asked));
    if (scan->device(PciAddress{0, 3, 0, 0}).processes.size() != kOnGpu) fmt::print("  not all of them were found\n");
    std::this_thread::sleep_for(1s);
  }
  const double share = 100.0 * microseconds(cpu_time() - cpu) / microseconds(steady_clock::now() - begin);
  figure("CPU of the sweep over 60 s, share of a core", share, "%", 1);
  figure("the longest that one who asks was held up", longest, "ms");
}

void ticks(const std::shared_ptr<const Files>& files, DrmProcesses& processes) {
  const auto clock = std::make_shared<FakeClock>();
  ThreadRunner runner;
  Published<Snapshot> out;
  std::vector<std::shared_ptr<Backend>> backends;
  backends.push_back(make_amdgpu_backend({*files, *files, *clock, processes}));
  Sampler sampler(std::move(backends), *clock, runner, out);
  std::vector<double> took;
  nanoseconds most_cpu{0};
  std::size_t shown = 0;
  for (int i = 0; i < 1000; ++i) {  // 1,000 s of the sampler's life in 20 s of the sweep's
    const auto cpu = thread_cpu_time();
    const auto begin = steady_clock::now();
    sampler.tick();
    took.push_back(milliseconds(steady_clock::now() - begin));
    if (i > 0) most_cpu = std::max(most_cpu, thread_cpu_time() - cpu);
    const auto snapshot = out.read();
    if (!snapshot->devices.empty() && snapshot->devices[0].processes) shown = snapshot->devices[0].processes->size();
    clock->advance(1s);
    std::this_thread::sleep_for(20ms);
  }
  if (shown != kOnGpu) fmt::print("  the snapshot shows {} processes instead of {}\n", shown, kOnGpu);
  figure("a tick beside the sweep, median of 1,000", percentile(took, 0.5), "ms", 3);
  figure("a tick beside the sweep, 99th percentile", percentile(took, 0.99), "ms", 3);
  figure("a tick beside the sweep, the worst", percentile(took, 1), "ms");
  figure("CPU of the sampling thread in a tick, the worst", milliseconds(most_cpu), "ms", 3);
}

// As `--source auto` opens it on a machine whose only GPUs are NVIDIA's.
void nvml_only() {
  BusyMachine machine;
  const auto clock = std::make_shared<SystemClock>();
  const std::vector<std::string> specifications = {BusyMachine::source(), "sysfs"};
  auto sources = open_sources(specifications, clock);
  if (!sources) {
    fmt::print("  {}\n", sources.error().message);
    return;
  }
  ThreadRunner runner;
  Published<Snapshot> out;
  Sampler sampler(std::move(sources->backends), *clock, runner, out);
  sampler.tick();
  const auto cpu = cpu_time();
  const auto begin = steady_clock::now();
  {
    std::jthread thread([&](std::stop_token stop) { sampler.run(stop); });
    std::this_thread::sleep_for(20s);
  }
  const double share = 100.0 * microseconds(cpu_time() - cpu) / microseconds(steady_clock::now() - begin);
  figure("8 NVIDIA GPUs alone, 20 s at 1 Hz: CPU in all, of a core", share, "%", 0.1);
}

}  // namespace

void sweep() {
  heading(
      "Who is on the GPU: 5,000 real processes with 10 descriptors each. There is no real GPU: for 50 of them the\n"
      "last descriptor is looked at in truth, and then said to be one of an AMD board that is made up in memory");
  const Crowd crowd(kProcesses, kDescriptors);
  if (crowd.pids().size() < kProcesses) {
    fmt::print("  skipped: the machine gives only {} processes (ulimit -u, the cgroup's pids.max)\n",
               crowd.pids().size());
    return;
  }
  {
    const auto files = std::make_shared<const PretendGpu>(crowd.pids());
    DrmProcesses processes(files, std::make_shared<SystemClock>(), {});
    first_walk(processes);
    at_its_own_pace(processes);
    ticks(files, processes);
  }
  nvml_only();
}

}  // namespace gpukeeper::bench
