#include "web.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "figures.hpp"

namespace gpukeeper::bench {

void web() {
  heading("web: the page of 64 simulated GPUs at 1 Hz, in Chromium that paints by software");
  const std::string folder = GPUKEEPER_SOURCE_DIR "/web";
  const std::string runner = folder + "/node_modules/.bin/vite-node";
  if (!std::filesystem::exists(runner)) {
    fmt::print("  the web page was left out of this build, as npm was not there or could not install what it needs\n");
    return;
  }
  std::string program = "GPUKEEPER=" GPUKEEPER_BINARY;
  std::vector<char*> environment = {program.data()};
  for (char** variable = environ; *variable; ++variable) environment.push_back(*variable);
  environment.push_back(nullptr);
  std::vector<std::string> words = {runner, "--root", folder, folder + "/e2e/figures.ts"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  pid_t pid = 0;
  int status = -1;
  const int failed = ::posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments.data(), environment.data());
  if (failed == 0) ::waitpid(pid, &status, 0);
  if (status != 0) fmt::print("  figures.ts failed with status {}\n", status);
}

}  // namespace gpukeeper::bench
