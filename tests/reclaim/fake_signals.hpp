#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "actuators/process_freezer.hpp"

namespace gpukeeper {

/// Remembers what was sent.
class FakeSignals final : public Signals {
 public:
  Result<void> send(const ProcessName& process, int signal) override {
    sent.push_back(fmt::format("{} to {} of {}", signal, process.pid, process.start_ticks));
    return takes(process, signal);
  }
  std::function<Result<void>(const ProcessName&, int)> takes = [](const ProcessName&, int) { return Result<void>(); };
  std::vector<std::string> sent;
};

/// /proc/PID/stat of a process that began then.
inline std::string stat_line(std::int64_t pid, const std::string& name, std::uint64_t start) {
  return fmt::format(
      "{} ({}) S 1 {} {} 0 -1 4194304 0 0 0 0 1 1 0 0 20 0 1 0 {} 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
      "0 0 0 0 0 0 0 0 0 0 0 0\n",
      pid, name, pid, pid, start);
}

}  // namespace gpukeeper
