#include "attribution.hpp"

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attribution/attributor.hpp"
#include "fakes/fake_clock.hpp"
#include "figures.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kProcesses = 50;
constexpr int kGpus = 8;

/// Real processes, each with a command line like a training's.
class Sleepers {
 public:
  Sleepers() {
    for (int i = 0; i < kProcesses; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        // The shell stops itself, so that it stays what it is.
        ::execl("/bin/sh", "python3", "-c", "kill -STOP $$", "train.py", "--model", "llama", "--token", "hidden",
                "--data", "/data/sets/a/b/c", "--epochs", "300", nullptr);
        ::_exit(127);
      }
      if (pid > 0) pids_.push_back(pid);
    }
    for (const pid_t pid : pids_) ::waitpid(pid, nullptr, WUNTRACED);
  }
  ~Sleepers() {
    for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
    for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
  }
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;

  /// All of them on every GPU.
  Snapshot snapshot() const {
    auto processes = std::make_shared<std::vector<GpuProcess>>();
    for (const pid_t pid : pids_) processes->push_back({.pid = pid, .utilization = Percent(80)});
    Snapshot snapshot;
    for (int i = 0; i < kGpus; ++i) {
      auto device = std::make_shared<Device>();
      device->id = DeviceId{fmt::format("GPU-5c6a0d3e-8b1f-4c2a-9d7e-0f1a2b3c4d{:02x}", i)};
      snapshot.devices.push_back({.device = std::move(device), .processes = processes});
    }
    return snapshot;
  }

 private:
  std::vector<pid_t> pids_;
};

std::shared_ptr<const Classifier> rules() {
  return {std::shared_ptr<void>(), &Classifier::built_in()};
}

}  // namespace

void attribution() {
  heading(fmt::format("Who {} processes on {} GPUs are, a look every 2 s", kProcesses, kGpus));
  const Sleepers sleepers;
  Snapshot snapshot = sleepers.snapshot();
  const auto machine = std::make_shared<RealFiles>();
  const auto clock = std::make_shared<FakeClock>();
  Attributor attributor(machine, clock, rules(), {.patience = 1h, .second_look = 2h});

  const auto first_cpu = cpu_time();
  attributor.complete(snapshot);
  figure("CPU of the first look, the rules read included", milliseconds(cpu_time() - first_cpu), "ms");
  if (snapshot.who->size() != std::size_t{kProcesses} * kGpus) fmt::print("  processes are missing\n");

  // Every fifteenth look reads again who they are. 20 ms apart, so that caches are as cold as they would be.
  constexpr int kLooks = 150;
  const auto cpu = cpu_time();
  for (int i = 0; i < kLooks; ++i) {
    clock->advance(2s);
    attributor.complete(snapshot);
    std::this_thread::sleep_for(20ms);
  }
  const auto look = (cpu_time() - cpu) / kLooks;
  figure("CPU of a look, 20 ms apart", microseconds(look), "us");
  figure("CPU, share of a core", 100 * microseconds(look) / microseconds(2s), "%", 0.1);
}

}  // namespace gpukeeper::bench
