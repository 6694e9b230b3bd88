#include "serve.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "fakes/temporary_folder.hpp"
#include "figures.hpp"
#include "integration/http_client.hpp"
#include "serve_process.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;
using service::HttpClient;

constexpr int kClients = 8;
constexpr auto kTime = 5s;
constexpr std::string_view kRequest = "GET /api/v1/snapshot HTTP/1.1\r\nHost: x\r\n\r\n";

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
