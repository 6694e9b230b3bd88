#include "leases.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
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
using Steady = std::chrono::steady_clock;

constexpr int kClients = 64;
constexpr auto kPace = 64ms;  // of each client from booking to booking: a thousand a second in all
constexpr auto kTime = 4s;

double at(std::vector<double>& sorted_here, double share) {
  std::ranges::sort(sorted_here);
  const auto last = static_cast<double>(sorted_here.size() - 1);
  return sorted_here[static_cast<std::size_t>(share * last)];
}

std::string booking(std::string_view owner) {
  const std::string body =
      fmt::format(R"({{"service": "embedding-service", "min_bytes": 1048576, "owner": "{}"}})", owner);
  return fmt::format("POST /api/v1/leases HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

// Books and gives back; how long the booking took, in µs, below 0 when it was refused.
double book(HttpClient& client, const std::string& request) {
  const auto start = Steady::now();
  if (!client.send(request)) return -1;
  const std::string answer = client.receive();
  const double took = microseconds(Steady::now() - start);
  constexpr std::string_view kId = R"("id":")";
  const auto id = answer.find(kId);
  if (!answer.starts_with("HTTP/1.1 201") || id == answer.npos) return -1;
  const auto begin = id + kId.size();
  client.send(fmt::format("DELETE /api/v1/leases/{} HTTP/1.1\r\nHost: x\r\n\r\n",
                          answer.substr(begin, answer.find('"', begin) - begin)));
  return client.receive().starts_with("HTTP/1.1 200") ? took : -1;
}

bool comes_to_book(const ListenAddress& address, const std::string& request) {
  for (int i = 0; i < 1000; ++i) {
    HttpClient client(address);
    if (client.connected() && book(client, request) > 0) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

std::vector<double> one_client(const ListenAddress& address, const std::string& request, int rounds) {
  HttpClient client(address);
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) times.push_back(book(client, request));
  return times;
}

std::vector<double> paced_client(const ListenAddress& address, const std::string& request, int number) {
  HttpClient client(address);
  std::vector<double> times;
  auto due = Steady::now() + number * kPace / kClients;
  for (const auto end = Steady::now() + kTime; Steady::now() < end; due += kPace) {
    std::this_thread::sleep_until(due);
    times.push_back(book(client, request));
  }
  return times;
}

// What one flush of so many bytes as a booking writes takes on that disk, in µs.
double flush_time(const std::filesystem::path& folder) {
  const int file = ::open((folder / "flush").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const std::string page(8192, 'x');
  std::vector<double> times;
  for (int i = 0; i < 200; ++i) {
    const auto start = Steady::now();
    if (::write(file, page.data(), page.size()) < 0 || ::fdatasync(file) != 0) break;
    times.push_back(microseconds(Steady::now() - start));
  }
  ::close(file);
  return times.empty() ? 0 : at(times, 0.5);
}

}  // namespace

void leases() {
  heading("leases over the socket of gpukeeper serve, with a journal, 8 simulated GPUs");
  const TemporaryFolder folder;
  const ListenAddress address{.path = (folder.path() / "s.sock").string(), .host = {}};
  const ServeProcess process(address, {"--state-dir", (folder.path() / "state").string()});
  const std::string bound = booking("process");
  if (!comes_to_book(address, bound)) {
    fmt::print("  the program did not answer\n");
    return;
  }
  auto times = one_client(address, bound, 5000);
  figure("over the socket, acknowledged, process-bound, p50", at(times, 0.5), "µs", 100);
  figure("the same, 99 of 100 below", at(times, 0.99), "µs");
  const double flush = flush_time(folder.path());
  figure("one flush of 8 KiB, p50", flush, "µs");
  times = one_client(address, booking("standing"), 500);
  figure("over the socket, acknowledged, standing, p50 (a flush + 100 µs)", at(times, 0.5), "µs", flush + 100);

  std::vector<std::vector<double>> each(kClients);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kClients; ++i) {
      threads.emplace_back([&, i] { each[static_cast<std::size_t>(i)] = paced_client(address, bound, i); });
    }
  }
  std::vector<double> all;
  for (const auto& one : each) all.insert(all.end(), one.begin(), one.end());
  figure("64 clients, 1,000 bookings a second, p50", at(all, 0.5), "µs");
  figure("64 clients, 1,000 bookings a second, 99 of 100 below", at(all, 0.99), "µs", 1000);
  if (all.front() < 0) fmt::print("  some were refused\n");
}

}  // namespace gpukeeper::bench
