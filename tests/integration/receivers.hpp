#pragma once

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace gpukeeper {

/// A program of this machine that runs until this ends, whose lines of output are read with a deadline.
class RunningProgram {
 public:
  explicit RunningProgram(std::vector<std::string> command) {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    if (::pipe2(input.data(), O_CLOEXEC) != 0 || ::pipe2(output.data(), O_CLOEXEC) != 0) return;
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_adddup2(&files, input[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, output[1], STDOUT_FILENO);
    if (::posix_spawnp(&pid_, argv[0], &files, nullptr, argv.data(), environ) != 0) pid_ = -1;
    ::posix_spawn_file_actions_destroy(&files);
    ::close(input[0]);
    ::close(output[1]);
    input_ = input[1];
    output_ = output[0];
  }
  ~RunningProgram() {
    if (input_ >= 0) ::close(input_);
    if (output_ >= 0) ::close(output_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  /// The next line; empty when none comes in time.
  std::string line(std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (unread_.find('\n') == std::string::npos) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd end{output_, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&end, 1, static_cast<int>(left.count())) <= 0) return "";
      std::array<char, 65536> buffer{};
      const auto got = ::read(output_, buffer.data(), buffer.size());
      if (got <= 0) return "";
      unread_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    const auto end = unread_.find('\n');
    std::string result = unread_.substr(0, end);
    unread_.erase(0, end + 1);
    return result;
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string unread_;
};

/// The servers of receivers.py.
class Receivers {
 public:
  explicit Receivers(const std::vector<std::string>& certificate_and_key = {})
      : program_(command(certificate_and_key)) {
    ports_ = nlohmann::json::parse(program_.line(), nullptr, false);
  }

  bool ready() const { return ports_.is_object(); }
  std::string url(const std::string& scheme, const std::string& path = "",
                  const std::string& host = "127.0.0.1") const {
    return scheme + "://" + host + ":" + std::to_string(ports_.at(scheme).get<int>()) + path;
  }
  /// What was received next; null when nothing comes in time.
  nlohmann::json next(std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    return nlohmann::json::parse(program_.line(patience), nullptr, false);
  }

 private:
  static std::vector<std::string> command(const std::vector<std::string>& arguments) {
    std::vector<std::string> result = {"python3", GPUKEEPER_SOURCE_DIR "/tests/integration/receivers.py"};
    result.insert(result.end(), arguments.begin(), arguments.end());
    return result;
  }

  RunningProgram program_;
  nlohmann::json ports_;
};

}  // namespace gpukeeper
