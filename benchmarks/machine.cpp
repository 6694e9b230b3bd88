#include "machine.hpp"

#include <cstdio>
#include <cstdlib>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <fmt/format.h>

namespace gpukeeper::bench {

BusyMachine::BusyMachine(int processes, Spread spread) {
  for (int i = 0; i < processes; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::prctl(PR_SET_NAME, "train");
      for (;;) ::pause();
    }
    if (pid > 0) sleepers_.push_back(pid);
  }
  for (int i = 0; i < kGpus; ++i) {
    const int gpu = nvml_.add_gpu();
    for (std::size_t p = 0; p < sleepers_.size(); ++p) {
      if (spread == Spread::one_each && p % kGpus != static_cast<std::size_t>(i)) continue;
      nvml_.add_process(
          gpu, {.pid = static_cast<std::uint32_t>(sleepers_[p]), .memory_bytes = std::uint64_t{512} << 20, .sm = 3});
    }
  }
}

BusyMachine::~BusyMachine() {
  for (const pid_t pid : sleepers_) ::kill(pid, SIGKILL);
  for (const pid_t pid : sleepers_) ::waitpid(pid, nullptr, 0);
}

std::vector<std::shared_ptr<Backend>> BusyMachine::open(std::shared_ptr<Clock> clock) {
  const std::vector<std::string> specifications = {source()};
  auto sources = open_sources(specifications, std::move(clock));
  if (!sources) {
    fmt::print(stderr, "gpukeeper_bench: {}\n", sources.error().message);
    std::exit(1);
  }
  return std::move(sources->backends);
}

}  // namespace gpukeeper::bench
