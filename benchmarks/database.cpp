#include "database.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/text.hpp"
#include "figures.hpp"
#include "postgres/database_export.hpp"
#include "postgres/pq_connection.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kConnections = 32;  // of the database, behind PgBouncer
constexpr int kDaemons = 1000;
constexpr int kDevices = 8;
constexpr int kRounds = 5;

// The server's script, as long as it is wanted.
class Server {
 public:
  Server() {
    int to_child[2];
    int from_child[2];
    if (::pipe2(to_child, O_CLOEXEC) != 0 || ::pipe2(from_child, O_CLOEXEC) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(to_child[0], STDIN_FILENO);
      ::dup2(from_child[1], STDOUT_FILENO);
      const std::string connections = std::to_string(kConnections);
      ::execl("/usr/bin/python3", "python3", GPUKEEPER_SOURCE_DIR "/benchmarks/database_server.py",
              GPUKEEPER_SOURCE_DIR, connections.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(to_child[0]);
    ::close(from_child[1]);
    input_ = to_child[1];
    char text[512];
    const ssize_t got = ::read(from_child[0], text, sizeof text);
    if (got > 0) url_ = trim(std::string_view(text, static_cast<std::size_t>(got)));
    ::close(from_child[0]);
  }
  ~Server() {
    if (input_ >= 0) ::close(input_);
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& url() const { return url_; }  // empty: there is none

 private:
  pid_t child_ = -1;
  int input_ = -1;
  std::string url_;
};

class NoLog final : public LogTarget {
 public:
  void write(const LogLine&) noexcept override {}
};

// One machine: eight GPUs, the default metrics.
class Machine {
 public:
  Machine(int number, const std::string& url, const Clock& clock, const Files& files, Log& log)
      : connector_({.url = url, .timeout = 60s}, files),
        spool_(32_MiB),
        writer_({.host = fmt::format("node-{:04}", number),
                 .stream = postgres::new_stream(),
                 .metrics = postgres::DatabaseSettings().metrics,
                 .keep = 30 * 24h,
                 .seed = static_cast<std::uint32_t>(number)},
                connector_, spool_, clock, log) {
    for (int i = 0; i < kDevices; ++i) {
      Device device;
      device.id.text = fmt::format("GPU-{:04}-{}", number, i);
      device.name = "NVIDIA H200";
      device.vendor = Vendor::nvidia;
      devices_.push_back(std::make_shared<const Device>(std::move(device)));
    }
  }

  // A row has what an H200 reports of the default metrics.
  void tick(WallTime at) {
    postgres::Tick tick;
    tick.at = at;
    for (int i = 0; i < kDevices; ++i) {
      tick.rows.push_back({.device = devices_[static_cast<std::size_t>(i)],
                           .index = static_cast<std::uint32_t>(i),
                           .values =
                               "\tnormal\t64\t\\N\t71\t92\t\\N\t97.4\t53\t0\t0\t65011712000\t85520809984\t612.345\t700"
                               "\t123456789.125\t1980\t2619\t12.5\t0\t1048576000\t524288000\t\\N\t\\N\t0\t0"});
    }
    spool_.put(std::move(tick));
  }

  // Until it has arrived; how long that took.
  std::chrono::nanoseconds write() {
    const auto begin = std::chrono::steady_clock::now();
    while (const auto pause = writer_.work({})) std::this_thread::sleep_for(*pause);
    return std::chrono::steady_clock::now() - begin;
  }
  ExportStatus status() const { return writer_.status(); }

 private:
  postgres::PqConnector connector_;
  postgres::Spool spool_;
  postgres::DatabaseWriter writer_;
  std::vector<std::shared_ptr<const Device>> devices_;
};

// One tick of every machine, as many at once as there are connections.
std::vector<double> round(std::deque<Machine>& machines, WallTime at) {
  for (Machine& machine : machines) machine.tick(at);
  std::atomic<std::size_t> next = 0;
  std::vector<double> took(machines.size());
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kConnections; ++i) {
      threads.emplace_back([&] {
        for (std::size_t n = next++; n < machines.size(); n = next++) took[n] = milliseconds(machines[n].write());
      });
    }
  }
  return took;
}

}  // namespace

void database() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  heading(fmt::format("{} machines of {} GPUs write into one PostgreSQL, over {} connections of PgBouncer's", kDaemons,
                      kDevices, kConnections));
  const Server server;
  if (server.url().empty()) return heading("  PostgreSQL or PgBouncer is not installed: not measured");
  const SystemClock clock;
  const RealFiles files;
  Log log(clock, std::make_shared<NoLog>());
  std::deque<Machine> machines;
  for (int i = 0; i < kDaemons; ++i) machines.emplace_back(i, server.url(), clock, files, log);
  const auto coming = std::chrono::steady_clock::now();
  round(machines, clock.wall());
  figure("all come at once, migrate and write a first tick",
         milliseconds(std::chrono::steady_clock::now() - coming) / 1e3, "s");
  std::vector<double> took;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) {
    for (const double each : round(machines, clock.wall() + i * 1s)) took.push_back(each);
  }
  const double seconds = milliseconds(std::chrono::steady_clock::now() - begin) / 1e3;
  std::ranges::sort(took);
  std::uint64_t rows = 0;
  std::uint64_t failures = 0;
  for (const Machine& machine : machines) {
    rows += machine.status().sent;
    failures += machine.status().failures;
  }
  figure("a tick of all of them, of the 10 s that there are", seconds / kRounds, "s", 10);
  figure_at_least("machines that 10 s would do for", kDaemons * 10 * kRounds / seconds, "", kDaemons);
  figure("half of the batches took no longer than", took[took.size() / 2], "ms");
  figure("99 of 100 no longer than", took[took.size() * 99 / 100], "ms");
  figure("rows missing", static_cast<double>((kRounds + 1) * kDaemons * kDevices) - static_cast<double>(rows), "", 0);
  figure("attempts that failed", static_cast<double>(failures), "");
}

}  // namespace gpukeeper::bench
