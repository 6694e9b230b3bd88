#pragma once

#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "actuators/kernel_files.hpp"
#include "actuators/process_freezer.hpp"
#include "fakes/memory_files.hpp"

namespace gpukeeper {

/// Writes go into the same tree, as in the kernel's, and are remembered.
class MemoryKernelFiles final : public KernelFiles {
 public:
  MemoryKernelFiles(MemoryFiles& files, std::vector<std::string>& written) : files_(files), written_(written) {}
  Result<void> write(const std::string& path, std::string_view text) override {
    if (!files_.read(path)) return fail(Errc::not_found, "open " + path + ": No such file or directory");
    if (refuses) return fail(Errc::unavailable, "write " + path + ": Device or resource busy");
    written_.emplace_back(text);
    if (!path.ends_with("pp_od_clk_voltage")) files_.write(path, std::string(text) + "\n");  // that takes commands
    return {};
  }

  bool refuses = false;

 private:
  MemoryFiles& files_;
  std::vector<std::string>& written_;
};

/// Remembers what was sent.
class FakeSignals final : public Signals {
 public:
  Result<void> send(const ProcessName& process, int signal) override {
    sent.push_back(std::to_string(process.pid) + " of " + std::to_string(process.start_ticks) +
                   (signal == SIGSTOP ? " stops" : " goes on"));
    return {};
  }
  std::vector<std::string> sent;
};

}  // namespace gpukeeper
