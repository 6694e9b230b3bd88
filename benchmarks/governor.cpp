#include "governor.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "figures.hpp"
#include "fleet.hpp"
#include "policy/andon/andon.hpp"
#include "policy/event_dispatcher.hpp"
#include "policy/governor.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kTicks = 3000;

struct Costs {  // us, a tick each
  std::vector<double> governor;
  std::vector<double> andon;
  std::vector<double> both;
};

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double percentile(std::vector<double> values, std::size_t percent) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() * percent / 100);
  std::ranges::nth_element(values, at);
  return *at;
}

void look(std::size_t devices, double goal) {
  Fleet fleet(devices);
  Governor governor;
  Andon andon;
  Costs costs;
  std::size_t told = 0, most = 0;
  for (int i = 0; i < kTicks; ++i) {
    Snapshot& snapshot = fleet.next();
    const auto begin = cpu_time();
    governor.govern(snapshot);
    const auto governed = cpu_time();
    andon.look(snapshot);
    const auto end = cpu_time();
    costs.governor.push_back(microseconds(governed - begin));
    costs.andon.push_back(microseconds(end - governed));
    costs.both.push_back(microseconds(end - begin));
    told += governor.take_events().size();
    most = std::max(most, snapshot.alerts->size());
  }
  figure(fmt::format("CPU of a tick of {} devices, governor, mean of {}", devices, kTicks), mean(costs.governor), "us");
  figure(fmt::format("CPU of a tick of {} devices, Andon, mean", devices), mean(costs.andon), "us");
  figure(fmt::format("CPU of a tick of {} devices, both, mean", devices), mean(costs.both), "us", goal);
  figure(fmt::format("CPU of a tick of {} devices, both, median", devices), percentile(costs.both, 50), "us", goal);
  figure(fmt::format("CPU of a tick of {} devices, both, 99th percentile", devices), percentile(costs.both, 99), "us");
  figure("  events told of them meanwhile", static_cast<double>(told), "events");
  figure("  alerts listed of them at most", static_cast<double>(most), "alerts");
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
  heading("Governor and Andon: busy devices, every tenth of which swings through all states");
  look(8, 20);
  look(1000, 2000);
  deliver();
}

}  // namespace gpukeeper::bench
