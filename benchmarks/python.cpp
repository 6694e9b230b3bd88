#include "python.hpp"

#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "figures.hpp"

namespace gpukeeper::bench {

void python() {
  heading("python: two simulated GPUs, by Debian's python3");
  std::vector<std::string> variables = {"GPUKEEPER_LIBRARY=" GPUKEEPER_SHARED_LIBRARY,
                                        "GPUKEEPER_SOURCE_DIR=" GPUKEEPER_SOURCE_DIR};
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  for (char** variable = environ; *variable; ++variable) environment.push_back(*variable);
  environment.push_back(nullptr);
  std::vector<std::string> words = {"/usr/bin/python3", GPUKEEPER_SOURCE_DIR "/benchmarks/python_figures.py"};
  std::vector<char*> arguments = {words[0].data(), words[1].data(), nullptr};

  pid_t pid = 0;
  int status = -1;
  const int failed = ::posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments.data(), environment.data());
  if (failed == 0) ::waitpid(pid, &status, 0);
  if (status != 0) fmt::print("  python_figures.py failed with status {}\n", status);
}

}  // namespace gpukeeper::bench
