// fake_nvml_run: runs a program on a machine with fake NVIDIA GPUs, and says what it asked of the driver.
//
//     fake_nvml_run --gpus 8 --processes 32 --seconds 10 -- nvtop
//     fake_nvml_run --scenario examples/scenarios/hot-training.yaml -- nvtop
//
// The program sees the fake library through LD_LIBRARY_PATH. Its own output is left alone: the report goes to standard
// error, and with --json to a file.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "backend/simulated/simulated_backend.hpp"
#include "core/clock.hpp"
#include "fakes/nvml/backend_feed.hpp"
#include "fakes/nvml/fake_nvml.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;
using fake_nvml::kNoGpu;
using Steady = std::chrono::steady_clock;

struct Options {
  int gpus = 1;
  int processes = 0;
  unsigned first_pid = 0;
  long pcie_latency_us = 0;
  bool realistic = false;
  int hang = -1;
  bool mig = false;
  int branch = 590;
  double seconds = 0;
  std::string scenario;
  std::string json;
  std::vector<std::string> command;
};

/// Children that sleep until we end: real pids for the lists of processes.
class Sleepers {
 public:
  ~Sleepers() {
    for (const pid_t pid : pids_) kill(pid, SIGKILL);
    for (const pid_t pid : pids_) waitpid(pid, nullptr, 0);
  }
  unsigned add() {
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      prctl(PR_SET_NAME, "gpu-sleeper");
      if (getppid() != parent) _exit(0);
      for (;;) pause();
    }
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "start a sleeping process");
    pids_.push_back(pid);
    return static_cast<unsigned>(pid);
  }

 private:
  std::vector<pid_t> pids_;
};

/// GPUs whose values all differ, so that a client that mixes two up is seen.
void plug_gpus(FakeNvml& nvml, Sleepers& sleepers, const Options& options) {
  constexpr std::uint64_t kMib = 1024 * 1024;
  unsigned next_pid = options.first_pid;
  for (unsigned g = 0; g < static_cast<unsigned>(options.gpus); ++g) {
    const int slot = nvml.add_gpu();
    auto& gpu = nvml.gpu(slot);
    gpu.temperature = 41 + g;
    gpu.memory_temperature = 51 + g;
    gpu.utilization_gpu = (11 + 7 * g) % 101;
    gpu.utilization_memory = (5 + 3 * g) % 101;
    gpu.utilization_encoder = g % 101;
    gpu.utilization_decoder = (g + 1) % 101;
    gpu.clocks[0] = gpu.clocks[1] = 1200 + 15 * g;
    gpu.pcie_tx_kb_per_s = 1'000'000 + 1000 * g;
    gpu.pcie_rx_kb_per_s = 2'000'000 + 1000 * g;
    gpu.fans = 1;
    gpu.fan_percent[0] = 30 + g % 70;
    nvml.set_power(slot, 100'000 + 11'000 * g);
    gpu.event_reasons = 0;
    std::uint64_t used = 0;
    for (unsigned p = 0; p < static_cast<unsigned>(options.processes); ++p) {
      FakeNvml::Process process;
      process.pid = options.first_pid != 0 ? next_pid++ : sleepers.add();
      process.memory_bytes = (100 + 10 * g + p) * kMib;
      process.kinds = p % 8 == 7 ? fake_nvml::kGraphics : fake_nvml::kCompute;
      process.sm = (3 + p) % 60;
      process.memory = (1 + p) % 40;
      used += process.memory_bytes;
      nvml.add_process(slot, process);
    }
    gpu.memory_used = used + 17 * kMib;
    if (!options.mig) continue;
    for (unsigned i = 0; i < 2; ++i) {
      FakeNvml::MigInstance mig;
      mig.gpu_instance = 7 + i;
      mig.profile = 19;
      std::snprintf(mig.profile_name, sizeof(mig.profile_name), "1g.10gb");
      mig.memory_total = 10240 * kMib;
      mig.memory_used = (1000 + i) * kMib;
      nvml.add_mig(slot, mig);
    }
  }
}

/// Starts the command with the fake library first in its search path. Does not return in the child.
pid_t start(const Options& options) {
  std::string path = FakeNvml::library_folder(options.branch).string();
  if (const char* before = std::getenv("LD_LIBRARY_PATH")) path += std::string(":") + before;
  const pid_t pid = fork();
  if (pid != 0) return pid;
  setenv("LD_LIBRARY_PATH", path.c_str(), 1);
  std::vector<char*> arguments;
  for (const auto& word : options.command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  std::fprintf(stderr, "fake_nvml_run: run %s: %s\n", arguments[0], std::strerror(errno));
  _exit(127);
}

struct Outcome {
  int status = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  long max_rss_kib = 0;
};

/// Waits for the command; asks it to end after `seconds` (0: never), and makes it two seconds later. Plays the feed on
/// every tenth of a second.
Outcome await(pid_t pid, double seconds, BackendFeed* feed) {
  const auto begin = Steady::now();
  const auto passed = [&] { return std::chrono::duration<double>(Steady::now() - begin).count(); };
  auto next_update = begin;
  int asked = 0;
  Outcome outcome;
  rusage usage{};
  int status = 0;
  while (wait4(pid, &status, seconds > 0 || feed ? WNOHANG : 0, &usage) != pid) {
    if (seconds > 0 && passed() > seconds && asked == 0) {
      kill(pid, SIGTERM);
      asked = 1;
    }
    if (passed() > seconds + 2 && asked == 1) {
      kill(pid, SIGKILL);
      asked = 2;
    }
    if (feed && Steady::now() >= next_update) {
      feed->update();
      next_update = Steady::now() + 100ms;
    }
    std::this_thread::sleep_for(5ms);
  }
  outcome.seconds = passed();
  outcome.cpu_seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                        static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  outcome.max_rss_kib = usage.ru_maxrss;
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (asked != 0 && WIFSIGNALED(status)) outcome.status = 0;  // it ended because we said so
  return outcome;
}

nlohmann::json report(FakeNvml& nvml, const Options& options, const Outcome& outcome) {
  nlohmann::json symbols = nlohmann::json::array();
  for (std::size_t i = 0; i < fake_nvml::kSymbols; ++i) {
    const auto symbol = static_cast<fake_nvml::Symbol>(i);
    const auto calls = nvml.calls(symbol);
    if (calls == 0) continue;
    symbols.push_back({{"name", FakeNvml::name_of(symbol)},
                       {"calls", calls},
                       {"inside_us", std::chrono::duration<double, std::micro>(nvml.time_inside(symbol)).count()}});
  }
  std::sort(symbols.begin(), symbols.end(), [](const auto& a, const auto& b) { return a["calls"] > b["calls"]; });
  nlohmann::json gpus = nlohmann::json::array();
  for (int gpu = 0; gpu < fake_nvml::kMaxGpus; ++gpu) {
    if (nvml.gpu(gpu).uuid[0] == '\0') continue;
    const auto calls = nvml.calls_of_gpu(gpu);
    gpus.push_back({{"calls", calls}, {"calls_per_second", static_cast<double>(calls) / outcome.seconds}});
  }
  return {{"command", options.command},
          {"status", outcome.status},
          {"seconds", outcome.seconds},
          {"cpu_seconds", outcome.cpu_seconds},
          {"max_rss_kib", outcome.max_rss_kib},
          {"calls", nvml.total_calls()},
          {"calls_without_gpu", nvml.calls_of_gpu(kNoGpu)},
          {"inside_us", std::chrono::duration<double, std::micro>(nvml.total_time_inside()).count()},
          {"gpus", gpus},
          {"symbols", symbols}};
}

void print(const nlohmann::json& facts) {
  std::fprintf(stderr,
               "\n%llu NVML calls in %.1f s, %.0f us inside the library; the program used %.3f s of CPU, %ld KiB\n",
               facts["calls"].get<unsigned long long>(), facts["seconds"].get<double>(),
               facts["inside_us"].get<double>(), facts["cpu_seconds"].get<double>(), facts["max_rss_kib"].get<long>());
  std::fprintf(stderr, "%10s %12s  %s\n", "calls", "inside us", "function");
  for (const auto& symbol : facts["symbols"]) {
    std::fprintf(stderr, "%10llu %12.0f  %s\n", symbol["calls"].get<unsigned long long>(),
                 symbol["inside_us"].get<double>(), symbol["name"].get<std::string>().c_str());
  }
  int index = 0;
  for (const auto& gpu : facts["gpus"]) {
    std::fprintf(stderr, "GPU %d: %llu calls, %.1f a second\n", index++, gpu["calls"].get<unsigned long long>(),
                 gpu["calls_per_second"].get<double>());
  }
}

int run(const Options& options) {
  FakeNvml nvml;
  Sleepers sleepers;
  const SystemClock clock;
  std::unique_ptr<BackendFeed> feed;
  if (options.scenario.empty()) {
    plug_gpus(nvml, sleepers, options);
  } else {
    auto backend = simulated::open(options.scenario, clock);
    if (!backend) throw std::runtime_error(backend.error().message);
    feed = std::make_unique<BackendFeed>(std::move(*backend), nvml);
    feed->update();
  }
  if (options.realistic) nvml.realistic_latency();
  if (options.pcie_latency_us > 0) {
    nvml.delay(fake_nvml::Symbol::nvmlDeviceGetPcieThroughput, std::chrono::microseconds(options.pcie_latency_us));
  }
  if (options.hang >= 0) nvml.hang(fake_nvml::Symbol::kAny, options.hang);
  const pid_t pid = start(options);
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "start " + options.command[0]);
  const Outcome outcome = await(pid, options.seconds, feed.get());
  const auto facts = report(nvml, options, outcome);
  print(facts);
  if (!options.json.empty()) {
    std::ofstream file(options.json);
    file << facts.dump(2) << '\n';
    if (!file) throw std::runtime_error("write " + options.json + ": " + std::strerror(errno));
  }
  return outcome.status;
}

}  // namespace
}  // namespace gpukeeper

int main(int argc, char** argv) {
  gpukeeper::Options options;
  CLI::App app("Runs a program on fake NVIDIA GPUs and counts what it asks of the driver.");
  app.add_option("--gpus", options.gpus, "number of GPUs")->check(CLI::Range(0, gpukeeper::fake_nvml::kMaxGpus));
  app.add_option("--processes", options.processes, "processes on each GPU")
      ->check(CLI::Range(0, gpukeeper::fake_nvml::kMaxProcesses));
  app.add_option("--first-pid", options.first_pid,
                 "name processes by pids from here on instead of starting sleeping ones");
  app.add_option("--pcie-latency-us", options.pcie_latency_us,
                 "how long nvmlDeviceGetPcieThroughput sleeps (20000 on real GPUs)");
  app.add_flag("--realistic", options.realistic, "latencies as measured on real machines");
  app.add_option("--hang", options.hang, "every call about this GPU hangs");
  app.add_flag("--mig", options.mig, "two MIG instances on each GPU");
  app.add_option("--branch", options.branch, "age of the library")->check(CLI::IsMember({340, 470, 590}));
  app.add_option("--seconds", options.seconds, "end the program after this time");
  app.add_option("--scenario", options.scenario, "play the NVIDIA devices of this scenario instead of --gpus")
      ->check(CLI::ExistingFile);
  app.add_option("--json", options.json, "also write the report to this file");
  app.add_option("command", options.command, "the program and its arguments, after --")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    return gpukeeper::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake_nvml_run: %s\n", error.what());
    return 1;
  }
}
