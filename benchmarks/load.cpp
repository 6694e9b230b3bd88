#include "load.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "core/text.hpp"
#include "fakes/temporary_folder.hpp"
#include "figures.hpp"
#include "integration/http_client.hpp"
#include "serve_process.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;
using service::HttpClient;
using Steady = std::chrono::steady_clock;

constexpr int kSeconds = 8;

// One that nobody listens at now.
std::uint16_t free_port() {
  const service::Descriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&name), size);
  ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&name), &size);
  return ntohs(name.sin_port);
}

std::string output_of(const std::string& command) {
  std::string text;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  if (!pipe) return text;
  std::array<char, 4096> piece{};
  while (const std::size_t got = std::fread(piece.data(), 1, piece.size(), pipe.get())) text.append(piece.data(), got);
  return text;
}

// The number after a word, and what follows it: "Requests/sec:  61234.5", "99%    1.02ms".
struct Said {
  double number = 0;
  std::string unit;
};
std::optional<Said> said_after(std::string_view text, std::string_view word) {
  const auto at = text.find(word);
  if (at == text.npos) return std::nullopt;
  text = trim(text.substr(at + word.size()));
  const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = parse_double(text.substr(0, end));
  if (!number) return std::nullopt;
  return Said{*number, std::string(text.substr(end, text.find_first_of(" \r\n", end) - end))};
}

std::optional<double> milliseconds_in(const Said& said) {
  if (said.unit == "us") return said.number / 1e3;
  if (said.unit == "ms") return said.number;
  if (said.unit == "s") return said.number * 1e3;
  return std::nullopt;
}

void with_wrk(std::string_view what, const std::string& url, bool goals) {
  const std::string text = output_of(fmt::format("wrk -t1 -c32 -d{}s --latency '{}' 2>&1", kSeconds, url));
  const auto rate = said_after(text, "Requests/sec:");
  const auto slow = said_after(text, "99%");
  const auto slowest = slow ? milliseconds_in(*slow) : std::nullopt;
  if (!rate || !slowest) return fmt::print("  {}: wrk says no figure; is it installed?\n", what);
  if (text.find("Non-2xx") != text.npos) return fmt::print("  {}: some were refused\n", what);
  const std::string first = fmt::format("{}, requests a second", what);
  const std::string second = fmt::format("{}, 99 of 100 below", what);
  if (!goals) {
    figure(first, rate->number, "/s");
    return figure(second, *slowest, "ms");
  }
  figure_at_least(first, rate->number, "/s", 60'000);
  figure(second, *slowest, "ms", 1);
}

std::string get(HttpClient& client, std::string_view target) {
  return client.send(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", target)) ? client.receive() : std::string();
}

bool comes_to_answer(const ListenAddress& address, std::string_view target) {
  for (int i = 0; i < 1000; ++i) {
    HttpClient client(address);
    if (client.connected() && get(client, target).starts_with("HTTP/1.1 200")) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

void one_connection(const ListenAddress& address, std::string_view target) {
  HttpClient client(address);
  std::vector<double> times;
  for (int i = 0; i < 20'000; ++i) {
    const auto begin = Steady::now();
    if (get(client, target).empty()) return fmt::print("  the connection ended\n");
    times.push_back(microseconds(Steady::now() - begin));
  }
  std::ranges::sort(times);
  figure("GET /api/gpu/status, one connection of the unix socket, p50", times[times.size() / 2], "µs", 60);
}

// The least limit below which 99 of 100 ticks began late, as the histogram of /metrics has it, in ms.
std::optional<double> tick_lag(const ListenAddress& address) {
  HttpClient client(address);
  const std::string text = get(client, "/metrics?family=gpukeeper");
  constexpr std::string_view kName = "gpukeeper_tick_lag_seconds_bucket{le=\"";
  std::vector<std::pair<double, double>> buckets;
  for (std::size_t at = text.find(kName); at != text.npos; at = text.find(kName, at + 1)) {
    const std::string_view row = std::string_view(text).substr(at + kName.size());
    const auto count = said_after(row, "\"}");
    const auto limit = parse_double(row.substr(0, row.find('"')));
    if (count && limit) buckets.emplace_back(*limit, count->number);
  }
  const auto all = said_after(text, "gpukeeper_tick_lag_seconds_count");
  if (!all) return std::nullopt;
  for (const auto& [limit, count] : buckets) {
    if (count >= 0.99 * all->number) return limit * 1e3;
  }
  return std::nullopt;
}

}  // namespace

void load() {
  heading(fmt::format("gpukeeper serve under load: 8 simulated GPUs, wrk with 32 connections, {} s each", kSeconds));
  const TemporaryFolder folder;
  const ListenAddress address{.path = (folder.path() / "s.sock").string(), .host = {}};
  const std::uint16_t port = free_port();
  const ServeProcess process(address, {"--listen", fmt::format("127.0.0.1:{}", port), "--state-dir",
                                       (folder.path() / "state").string(), "--set", "sample_interval=100ms"});
  constexpr std::string_view kStatus = "/api/gpu/status?gpu_id=0";
  if (!comes_to_answer(address, kStatus)) {
    fmt::print("  the program did not answer\n");
    return;
  }
  figure("resident memory, idle", process.resident_mib(), "MiB", 25);
  const std::string url = fmt::format("http://127.0.0.1:{}", port);
  with_wrk("GET /ready, which says one word", url + "/ready", false);
  with_wrk("GET /api/gpu/status", url + std::string(kStatus), true);
  with_wrk("GET /api/v1/snapshot", url + "/api/v1/snapshot", false);
  if (const auto lag = tick_lag(address)) {
    figure("a tick, ten a second, begins late: 99 of 100 below", *lag, "ms", 20);
  } else {
    fmt::print("  how late ticks begin is not known, or more than the largest bucket\n");
  }
  figure("resident memory after the load", process.resident_mib(), "MiB", 25);
  one_connection(address, kStatus);
}

}  // namespace gpukeeper::bench
