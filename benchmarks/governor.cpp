#include "governor.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "figures.hpp"
#include "policy/andon/andon.hpp"
#include "policy/event_dispatcher.hpp"
#include "policy/governor.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kTicks = 3000;

// Of all devices a tenth is in the midst of something, each at another point of its way.
class Fleet {
 public:
  explicit Fleet(std::size_t size) {
    snapshot_.monotonic = MonotonicTime(1h);
    for (std::size_t i = 0; i < size; ++i) {
      DeviceSnapshot& device = snapshot_.devices.emplace_back();
      Device facts;
      facts.id.text = fmt::format("GPU-{:08x}-0000-0000-0000-000000000000", i);
      facts.name = "NVIDIA H200";
      facts.vendor = Vendor::nvidia;
      device.device = std::make_shared<const Device>(std::move(facts));
      device.available = true;
      device.reading.temperature_slowdown = Celsius(97);
      device.reading.memory_total = from_mib(143'771);
      device.reading.utilization = Percent(90);
    }
  }

  void tick(Governor& governor, Andon& andon) {
    snapshot_.monotonic += 1s;
    ++snapshot_.sequence;
    for (std::size_t i = 0; i < snapshot_.devices.size(); ++i) {
      const double phase = static_cast<double>(snapshot_.sequence + 37 * i);
      const double swing = i % 10 == 0 ? 30 : 2;
      snapshot_.devices[i].reading.temperature = Celsius(60 + swing * std::sin(phase / 40));
      snapshot_.devices[i].reading.memory_used = from_mib(90'000 + 1000 * (snapshot_.sequence % 7));
    }
    const auto begin = cpu_time();
    governor.govern(snapshot_);
    const auto governed = cpu_time();
    andon.look(snapshot_);
    governing_.push_back(microseconds(governed - begin));
    both_.push_back(microseconds(cpu_time() - begin));
    told_ += governor.take_events().size();
  }

  const std::vector<double>& governing() const { return governing_; }
  const std::vector<double>& both() const { return both_; }
  std::size_t told() const { return told_; }

 private:
  Snapshot snapshot_;
  std::vector<double> governing_;  // us, a tick each
  std::vector<double> both_;
  std::size_t told_ = 0;
};

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

void govern(std::size_t devices, double goal) {
  Fleet fleet(devices);
  Governor governor;
  Andon andon;
  for (int i = 0; i < kTicks; ++i) fleet.tick(governor, andon);
  figure(fmt::format("CPU of governing {} devices, mean of {} ticks", devices, kTicks), mean(fleet.governing()), "us");
  figure(fmt::format("CPU of governor and Andon, {} devices, median tick", devices), median(fleet.both()), "us", goal);
  figure(fmt::format("CPU of governor and Andon, {} devices, mean", devices), mean(fleet.both()), "us", goal);
  figure("events told of them meanwhile", static_cast<double>(fleet.told()), "events");
}

// From post() to the callback, one event at a time, as transitions come.
void deliver() {
  constexpr int kEvents = 2000;
  std::vector<double> delays(kEvents);
  EventDispatcher dispatcher;
  std::atomic<std::chrono::steady_clock::time_point> posted;
  std::size_t next = 0;
  dispatcher.subscribe("bench", std::nullopt, [&](const GovernorEvent&) {
    delays[next++] = microseconds(std::chrono::steady_clock::now() - posted.load());
  });
  const std::vector<GovernorEvent> one{{.device = std::make_shared<const DeviceSnapshot>()}};
  for (int i = 0; i < kEvents; ++i) {
    posted = std::chrono::steady_clock::now();
    dispatcher.post(one);
    dispatcher.drain();
  }
  std::ranges::sort(delays);
  figure("from the event to its subscriber, median", delays[kEvents / 2], "us");
  figure("from the event to its subscriber, 99th percentile", delays[kEvents * 99 / 100], "us", 1000);
}

}  // namespace

void governor() {
  heading("Governor and Andon: every tenth device swings through all states");
  govern(8, 20);
  govern(1000, 2000);
  deliver();
}

}  // namespace gpukeeper::bench
