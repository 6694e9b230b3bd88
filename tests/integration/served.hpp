#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gpukeeper {

/// Whether it becomes true in time; the machine may be busy, under a sanitizer.
template <class Condition>
bool eventually(Condition condition, std::chrono::seconds patience = std::chrono::seconds(30)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

/// `gpukeeper serve` as it is run: the binary, killed when this ends. Its log goes to a file.
class Served {
 public:
  Served(std::vector<std::string> arguments, std::string log) : log_(std::move(log)) {
    arguments.insert(arguments.begin(), {GPUKEEPER_BINARY_DIR "/gpukeeper", "serve"});
    std::vector<char*> argv;
    for (std::string& word : arguments) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    const int file = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(file, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ~Served() {
    if (pid_ > 0) static_cast<void>(stop(SIGKILL));
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  std::string log() const {
    std::ifstream in(log_);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool says(const std::string& text) const {
    return eventually([&] { return log().find(text) != std::string::npos; });
  }

  /// The exit status, 128 and the signal's number when one killed it; -1 when it does not end in time.
  int stop(int signal) {
    ::kill(pid_, signal);
    return wait();
  }

  /// The same of one that ends by itself.
  int wait() {
    int status = 0;
    if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  const std::string log_;
  pid_t pid_ = -1;
};

}  // namespace gpukeeper
