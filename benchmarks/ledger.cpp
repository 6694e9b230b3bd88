#include "ledger.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "booking/bookkeeper.hpp"
#include "figures.hpp"
#include "leases.hpp"
#include "ledger/ledger.hpp"
#include "storage/sqlite_journal.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kGpus = 16;
constexpr std::size_t kLeases = 10'000;
constexpr int kRounds = 100'000;

Reality machine() {
  Reality reality;
  for (std::size_t i = 0; i < kGpus; ++i) {
    DeviceReality& device = reality.devices.emplace_back();
    device.id = fmt::format("GPU-{:08x}-0000-0000-0000-000000000000", i);
    device.index = static_cast<std::uint32_t>(i);
    device.total = from_mib(143'771);
    device.used = Bytes(0);
    device.processes.emplace();
  }
  return reality;
}

LeaseRequest request(std::uint64_t number) {
  LeaseRequest r;
  r.service = "embedding-service";
  r.name = fmt::format("m{}", number);
  r.min = 100_MiB;
  r.owner = ProcessOwner{static_cast<std::int64_t>(number % 500 + 1), 12345};
  return r;
}

std::size_t allocated() {
  return ::mallinfo2().uordblks;
}

double median(std::vector<double>& values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void in_memory() {
  const Moment at{MonotonicTime(1h), WallTime(1h)};
  Ledger book;
  const Reality reality = machine();
  book.observe(reality, at);
  const std::size_t before = allocated();
  for (std::size_t i = 0; i < kLeases; ++i) static_cast<void>(book.reserve(request(i), at));
  figure("memory a lease, with its name and its indexes", static_cast<double>(allocated() - before) / kLeases, "B",
         400);

  const LeaseRequest one = request(kLeases);
  // By this process' own time: a neighbour on a busy machine is no part of it.
  const auto start = cpu_time();
  for (int i = 0; i < kRounds; ++i) {
    const auto booking = book.reserve(one, at);
    static_cast<void>(book.release(booking->id, std::nullopt, at));
  }
  figure("reserve and release, placed among 16 GPUs", microseconds(cpu_time() - start) / kRounds, "µs", 1);

  LeaseRequest there = one;
  there.device = reality.devices[7].id;
  there.require_device = true;
  const auto single = cpu_time();
  for (int i = 0; i < kRounds; ++i) {
    const auto booking = book.reserve(there, at);
    static_cast<void>(book.release(booking->id, std::nullopt, at));
  }
  figure("reserve and release on a named GPU", microseconds(cpu_time() - single) / kRounds, "µs", 1);

  LeaseRequest many = one;
  many.devices = 8;
  const auto several = cpu_time();
  for (int i = 0; i < kRounds / 100; ++i) {
    const auto booking = book.reserve(many, at);
    static_cast<void>(book.release(booking->id, std::nullopt, at));
  }
  figure("reserve and release 8 GPUs of 16 at once", microseconds(cpu_time() - several) / (kRounds / 100), "µs");

  Reality busy = machine();
  for (std::int64_t pid = 1; pid <= 500; ++pid) {
    for (DeviceReality& device : busy.devices) {
      device.processes->push_back({.pid = pid, .start_ticks = 12345, .memory = 200_MiB});
      device.used = *device.used + 200_MiB;
    }
  }
  const auto tick = cpu_time();
  for (int i = 0; i < 10; ++i) book.observe(busy, at);
  figure("a look at 16 GPUs with 500 processes each", milliseconds(cpu_time() - tick) / 10, "ms");
}

std::unique_ptr<Bookkeeper> keeper_in(const std::string& folder, Clock& clock) {
  auto journal = SqliteJournal::open(folder, "boot").value();
  return Bookkeeper::open({}, {.clock = clock, .journal = std::move(journal), .owners = nullptr, .boot_id = "boot"})
      .value();
}

double acknowledged(Bookkeeper& keeper, LeaseRequest r, int rounds) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const auto start = Steady::now();
    const auto booking = keeper.reserve(r);
    times.push_back(microseconds(Steady::now() - start));
    static_cast<void>(keeper.release(booking->id));
  }
  return median(times);
}

void with_journal() {
  const std::string folder = std::filesystem::temp_directory_path() / fmt::format("gpukeeper-bench-{}", ::getpid());
  std::filesystem::create_directories(folder);
  SystemClock clock;
  {
    const auto keeper = keeper_in(folder, clock);
    keeper->observe(machine());
    LeaseRequest bound = request(1);
    figure("acknowledged and crash-proof, of a process, p50", acknowledged(*keeper, bound, 5000), "µs", 100);
    bound.owner = StandingOwner{};
    figure("acknowledged and crash-proof, standing, p50 (a flush)", acknowledged(*keeper, bound, 300), "µs");

    std::vector<std::jthread> threads;
    const auto start = Steady::now();
    for (std::uint64_t t = 0; t < 64; ++t) {
      threads.emplace_back([&keeper, t] {
        for (int i = 0; i < 100; ++i) static_cast<void>(keeper->release(keeper->reserve(request(t))->id));
      });
    }
    threads.clear();
    figure("64 threads at once, grants and releases", 12'800 / (milliseconds(Steady::now() - start) / 1e3), "/s");
    for (std::size_t i = 0; i < kLeases; ++i) static_cast<void>(keeper->reserve(request(i)));
  }
  const auto start = Steady::now();
  const auto keeper = keeper_in(folder, clock);
  keeper->observe(machine());
  figure("restart with 10,000 leases", milliseconds(Steady::now() - start), "ms", 100);
  std::filesystem::remove_all(folder);
}

}  // namespace

void ledger() {
  heading("the ledger: 10,000 leases on 16 GPUs");
  in_memory();
  with_journal();
  leases();
}

}  // namespace gpukeeper::bench
