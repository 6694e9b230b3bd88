#include "history.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "device/resolution.hpp"
#include "engine/playback.hpp"
#include "figures.hpp"
#include "noisy_backend.hpp"
#include "telemetry/compressed_series.hpp"
#include "telemetry/history.hpp"
#include "telemetry/trend.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kDay = 86'400;
using Run = std::vector<std::optional<double>>;

// Bytes and values, by how a run of values behaves.
struct Tally {
  double bytes = 0;
  double values = 0;
  double each() const { return values > 0 ? bytes / values : 0; }
  void add(std::size_t packed, std::size_t count) {
    bytes += static_cast<double>(packed);
    values += static_cast<double>(count);
  }
};

struct Tallies {
  Tally changing;  // runs in which at least every other value differs from the one before
  Tally resting;   // runs in which fewer do
  Tally constant;  // runs in which none does
};

void count(const Run& run, Tallies& tallies) {
  PackedBytes packed;
  pack(run, packed);
  std::size_t changes = 0, values = 0;
  std::optional<double> before;
  for (const auto& value : run) {
    if (!value) continue;
    ++values;
    changes += before && *before != *value;
    before = value;
  }
  if (values == 0) return;
  Tally& tally = changes == 0 ? tallies.constant : 2 * changes >= values ? tallies.changing : tallies.resting;
  tally.add(packed.size(), values);
}

// An hour of a shipped scenario, metric by metric, in runs as long as the history's blocks.
void count_scenario(const std::string& source, Tallies& tallies) {
  std::map<std::pair<std::string, std::string_view>, Run> runs;
  const std::vector<std::string> sources{source};
  const auto played = play(sources, {.length = 1h}, [&](const Snapshot& snapshot) {
    for (const DeviceSnapshot& d : snapshot.devices) {
      for (const auto name : kDefaultStoredMetrics) {
        const MetricRow& row = *find_metric(name);
        const auto value = to_number(row.value(*d.device, d.reading));
        Run& run = runs[{d.device->id.text, name}];
        run.push_back(value ? std::optional(as_recorded(row.unit, *value)) : std::nullopt);
        if (run.size() < OpenBlock::kTicks) continue;
        count(run, tallies);
        run.clear();
      }
    }
    return true;
  });
  if (played) return;
  fmt::print(stderr, "gpukeeper_bench: {}\n", played.error().message);
  std::exit(1);
}

void shipped_curves() {
  Tallies all;
  for (const auto& entry : std::filesystem::directory_iterator(GPUKEEPER_SOURCE_DIR "/examples/scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    Tallies own;
    count_scenario("simulated:" + entry.path().string(), own);
    figure(fmt::format("{}: a value that changes", entry.path().stem().string()), own.changing.each(), "bytes");
    for (const auto part : {&Tallies::changing, &Tallies::resting, &Tallies::constant}) {
      (all.*part).bytes += (own.*part).bytes;
      (all.*part).values += (own.*part).values;
    }
  }
  figure("all shipped scenarios: a value that changes", all.changing.each(), "bytes", 2);
  figure("all shipped scenarios: a value that changes seldom", all.resting.each(), "bytes");
  figure("all shipped scenarios: a value that never changes", all.constant.each(), "bytes", 0.2);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// A metric that is absent costs next to nothing: the figures hold only when none is.
void require_all_metrics(const Snapshot& snapshot) {
  const DeviceSnapshot& d = snapshot.devices.front();
  for (const auto name : kDefaultStoredMetrics) {
    if (find_metric(name)->value(*d.device, d.reading)) continue;
    fmt::print(stderr, "gpukeeper_bench: nothing tells {}, which is stored by default\n", name);
    std::exit(1);
  }
}

// Eight GPUs that tell every metric that is stored. What can change from second to second does.
void a_day() {
  NoisyBackend backend(NoisyBackend::Sensors::all);
  Snapshot snapshot;
  const auto devices = backend.list();
  for (const Device& device : *devices) {
    DeviceSnapshot& d = snapshot.devices.emplace_back();
    d.device = std::make_shared<const Device>(device);
    d.available = true;
  }
  History history;
  std::vector<double> ticks;
  const double before = resident_mib();
  for (int second = 1; second <= kDay; ++second) {
    snapshot.monotonic = MonotonicTime(std::chrono::seconds(second));
    snapshot.taken_at = WallTime(std::chrono::seconds(1'780'000'000 + second));
    for (DeviceSnapshot& d : snapshot.devices) d.reading = *backend.read(d.device->id);
    const auto begin = cpu_time();
    history.add(snapshot);
    ticks.push_back(microseconds(cpu_time() - begin));
  }
  require_all_metrics(snapshot);
  const double worst = *std::ranges::max_element(ticks);
  const HistoryFacts facts = history.facts();
  figure("24 h x 8 GPUs x 24 metrics at 1 Hz", static_cast<double>(facts.bytes) / (1 << 20), "MiB", 40);
  figure("  as the growth of resident memory", resident_mib() - before, "MiB");
  figure("  a value of them",
         static_cast<double>(facts.bytes) / static_cast<double>(facts.samples * std::size(kDefaultStoredMetrics)),
         "bytes");
  figure("CPU of a tick of 8 GPUs taken in, median", median(ticks), "us");
  figure("CPU of a tick of 8 GPUs taken in, worst", worst, "us");

  const auto now = snapshot.monotonic;
  const DeviceId id = snapshot.devices[3].device->id;
  std::vector<double> hours, days, trends;
  for (int i = 0; i < 200; ++i) {
    const auto time = [&](std::chrono::nanoseconds length, std::chrono::nanoseconds step) {
      const auto begin = std::chrono::steady_clock::now();
      if (!history.range(id, "power_watts", now - length, now, step)) std::abort();
      return milliseconds(std::chrono::steady_clock::now() - begin);
    };
    hours.push_back(time(1h, 10s));
    if (i < 20) days.push_back(time(24h, 5min));
    const auto begin = std::chrono::steady_clock::now();
    if (!temperature_trend(history, id, 5min, {})) std::abort();
    trends.push_back(milliseconds(std::chrono::steady_clock::now() - begin));
  }
  figure("one hour of a metric in buckets of 10 s, median", median(hours), "ms", 1);
  figure("a day of a metric in buckets of 5 min, median", median(days), "ms");
  figure("the trend of five minutes, median", median(trends), "ms");
}

}  // namespace

void history() {
  heading("History: bytes a value, an hour of each shipped scenario, the 24 metrics that are stored");
  shipped_curves();
  heading("History: a day of 8 GPUs that tell all 24 metrics, 18 of which change every second or every few");
  a_day();
}

}  // namespace gpukeeper::bench
