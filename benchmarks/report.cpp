#include "report.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "account/accountant.hpp"
#include "engine/playback.hpp"
#include "figures.hpp"
#include "noisy_backend.hpp"
#include "report/report_html.hpp"
#include "report/report_json.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kDays = 30;
constexpr int kUsers = 12;

double wall_ms(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return milliseconds(std::chrono::steady_clock::now() - begin);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Four processes on each GPU, of users and containers that change from day to day.
std::shared_ptr<const std::vector<GpuProcess>> crowd(int day, int gpu) {
  std::vector<GpuProcess> processes;
  for (int i = 0; i < 4; ++i) {
    auto facts = std::make_shared<ProcessFacts>();
    facts->user = fmt::format("user{}", (day + gpu + i) % kUsers);
    facts->place = ProcessPlace{.container = Container{"docker", fmt::format("{:012}", day * 100 + gpu * 4 + i)},
                                .pod_uid = std::nullopt,
                                .unit = std::nullopt,
                                .slurm_job = std::to_string(day * 10 + i)};
    GpuProcess process;
    process.pid = 1000 + i;
    process.memory = 4_GiB;
    process.utilization = Percent(10.0 * (i + 1));
    process.facts = std::move(facts);
    processes.push_back(std::move(process));
  }
  return std::make_shared<const std::vector<GpuProcess>>(std::move(processes));
}

// A reading a minute for thirty days, as a daemon would have taken them in, slower: sums do not know the pace.
void a_month() {
  NoisyBackend backend(NoisyBackend::Sensors::all);
  Snapshot snapshot;
  snapshot.host = "bench";
  const auto devices = backend.list();
  for (const Device& device : *devices) {
    DeviceSnapshot& d = snapshot.devices.emplace_back();
    d.index = static_cast<std::uint32_t>(snapshot.devices.size() - 1);
    d.device = std::make_shared<const Device>(device);
    d.available = true;
  }
  account::Accountant accountant;
  std::vector<double> ticks;
  const double before = resident_mib();
  for (int minute = 0; minute < kDays * 24 * 60; ++minute) {
    snapshot.monotonic = MonotonicTime(std::chrono::minutes(minute + 1));
    snapshot.taken_at = WallTime(std::chrono::seconds(1'780'000'000) + std::chrono::minutes(minute));
    for (std::size_t i = 0; i < snapshot.devices.size(); ++i) {
      DeviceSnapshot& d = snapshot.devices[i];
      d.reading = *backend.read(d.device->id);
      if (minute % (24 * 60) == 0) d.processes = crowd(minute / (24 * 60), static_cast<int>(i));
    }
    const auto begin = cpu_time();
    accountant.add(snapshot);
    ticks.push_back(microseconds(cpu_time() - begin));
  }
  figure("CPU of a snapshot of 8 GPUs, 4 processes on each, taken in, median", median(ticks), "us");
  figure("growth of resident memory over the month", resident_mib() - before, "MiB");

  report::Report gathered;
  std::string page, json, csv;
  const report::Sources sources{.host = "bench",
                                .basis = report::Basis::daemon,
                                .tariff = {.price_per_kwh = 0.3, .currency = "EUR", .carbon_g_per_kwh = 380.0},
                                .leases = ""};
  const double gather_ms = wall_ms([&] {
    auto result = report::gather(accountant.account(), {}, sources);
    if (!result) std::abort();
    gathered = std::move(*result);
  });
  const double html_ms = wall_ms([&] { page = report::report_html(gathered, 0s); });
  const double json_ms = wall_ms([&] { json = report::report_json(gathered, false); });
  const double csv_ms = wall_ms([&] { csv = report::report_csv(gathered); });
  figure("a report over 30 days of 8 GPUs, gathered", gather_ms, "ms");
  figure("  and as a page with charts", gather_ms + html_ms, "ms", 2'000);
  figure("  as JSON", json_ms, "ms");
  figure("  as CSV", csv_ms, "ms");
  figure("the page", static_cast<double>(page.size()) / 1024, "KiB");
}

// The shipped recording, from the file to the page.
void a_day_played() {
  const std::vector<std::string> sources{"replay:" GPUKEEPER_SOURCE_DIR "/examples/recordings/day.gkr"};
  account::Accountant accountant;
  std::size_t pages = 0;
  const double took = wall_ms([&] {
    const auto played = play(sources, {}, [&](const Snapshot& snapshot) {
      accountant.add(snapshot);
      return true;
    });
    if (!played) std::abort();
    const auto report = report::gather(accountant.account(), {}, {.host = "day", .leases = ""});
    if (!report) std::abort();
    pages += report::report_html(*report, 0s).size();
  });
  if (pages == 0) std::abort();
  figure("a recording of a day of 8 GPUs, a frame a minute, played and made a page", took, "ms");
}

}  // namespace

void report() {
  heading("Reports: a month of 8 GPUs with 32 processes of 12 users, as the daemon keeps it");
  a_month();
  a_day_played();
}

}  // namespace gpukeeper::bench
