#pragma once

#include <csignal>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/listen_address.hpp"
#include "core/text.hpp"

namespace gpukeeper::bench {

/// `gpukeeper serve` over eight simulated GPUs, on a unix socket, as a process of its own.
class ServeProcess {
 public:
  explicit ServeProcess(const ListenAddress& address, const std::vector<std::string>& more = {}) {
    const std::string listen = address.to_string();
    const std::string source = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/eight-gpus.yaml";
    std::vector<std::string> words = {GPUKEEPER_BINARY, "serve", "--source", source, "--listen", listen};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) pid_ = 0;
    posix_spawn_file_actions_destroy(&actions);
  }
  ~ServeProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  ServeProcess(const ServeProcess&) = delete;
  ServeProcess& operator=(const ServeProcess&) = delete;

  double resident_mib() const {
    std::ifstream in(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("VmRSS:")) return leading_number(trim(std::string_view(line).substr(6))).value_or(0) / 1024;
    }
    return 0;
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace gpukeeper::bench
