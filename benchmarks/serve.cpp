#include "serve.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/text.hpp"
#include "fakes/temporary_folder.hpp"
#include "figures.hpp"
#include "integration/http_client.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;
using service::HttpClient;

constexpr int kClients = 8;
constexpr auto kTime = 5s;
constexpr std::string_view kRequest = "GET /api/v1/snapshot HTTP/1.1\r\nHost: x\r\n\r\n";

// `gpukeeper serve` over eight simulated GPUs, on a unix socket.
class ServeProcess {
 public:
  explicit ServeProcess(const ListenAddress& address) {
    const std::string listen = address.to_string();
    const std::string source = "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/eight-gpus.yaml";
    std::vector<std::string> words = {GPUKEEPER_BINARY, "serve", "--source", source, "--listen", listen};
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

// Asks until the first snapshot is there; its size, 0 when it never came.
std::size_t first_snapshot(const ListenAddress& address) {
  for (int i = 0; i < 1000; ++i) {
    HttpClient client(address);
    if (client.connected() && client.send(kRequest)) {
      const std::string answer = client.receive();
      if (answer.starts_with("HTTP/1.1 200")) return answer.size();
    }
    std::this_thread::sleep_for(10ms);
  }
  return 0;
}

std::vector<double> ask_for_a_while(const ListenAddress& address) {
  std::vector<double> latencies;
  HttpClient client(address);
  const auto until = std::chrono::steady_clock::now() + kTime;
  for (auto begin = std::chrono::steady_clock::now(); begin < until;) {
    if (!client.send(kRequest) || client.receive().empty()) return {};
    const auto end = std::chrono::steady_clock::now();
    latencies.push_back(microseconds(end - begin));
    begin = end;
  }
  return latencies;
}

}  // namespace

void serve() {
  heading("gpukeeper serve: GET /api/v1/snapshot, 8 simulated GPUs, 8 clients on a unix socket, 5 s");
  const TemporaryFolder folder;
  const ListenAddress address{.path = (folder.path() / "s.sock").string(), .host = {}};
  const ServeProcess process(address);
  const std::size_t size = first_snapshot(address);
  if (size == 0) {
    fmt::print("  the program did not answer\n");
    return;
  }
  const double quiet = process.resident_mib();
  std::vector<std::vector<double>> each(kClients);
  {
    std::vector<std::jthread> threads;
    for (auto& latencies : each) threads.emplace_back([&] { latencies = ask_for_a_while(address); });
  }
  std::vector<double> all;
  for (const auto& latencies : each) all.insert(all.end(), latencies.begin(), latencies.end());
  if (all.empty()) {
    fmt::print("  no client was answered\n");
    return;
  }
  std::ranges::sort(all);
  figure("size of an answer", static_cast<double>(size) / 1024, "KiB");
  figure("requests a second", static_cast<double>(all.size()) / std::chrono::duration<double>(kTime).count(), "");
  figure("latency, median", all[all.size() / 2], "us");
  figure("latency, 99 of 100 below", all[all.size() * 99 / 100], "us");
  figure("resident memory, idle", quiet, "MiB", 15);
  figure("resident memory after the load", process.resident_mib(), "MiB", 15);
}

}  // namespace gpukeeper::bench
