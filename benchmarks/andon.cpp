#include "andon.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "figures.hpp"
#include "policy/andon/andon.hpp"

namespace gpukeeper::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kTicks = 3000;

// Devices that tell everything and are busy, as in a machine that is used; every tenth swings through being hot, so
// that alerts begin, change and end.
class Fleet {
 public:
  explicit Fleet(std::size_t size) {
    snapshot_.monotonic = MonotonicTime(1h);
    auto processes = std::make_shared<std::vector<GpuProcess>>(4);
    for (std::size_t i = 0; i < size; ++i) {
      DeviceSnapshot& device = snapshot_.devices.emplace_back();
      Device facts;
      facts.id.text = fmt::format("GPU-{:08x}-0000-0000-0000-000000000000", i);
      facts.name = "NVIDIA H200";
      facts.vendor = Vendor::nvidia;
      device.index = static_cast<std::uint32_t>(i);
      device.device = std::make_shared<const Device>(std::move(facts));
      device.available = true;
      device.processes = processes;
      Reading& r = device.reading;
      r.temperature_memory = Celsius(70);
      r.fan = Percent(60);
      r.utilization = Percent(90);
      r.memory_used = from_mib(90'000);
      r.memory_total = from_mib(143'771);
      r.power = Watts(500);
      r.power_limit = Watts(700);
      r.throttle_reasons = ThrottleReasons(Throttle::software_power_cap);
      r.ecc_uncorrected_volatile = Count(0);
      r.remapped_rows_pending = r.remapped_rows_failed = false;
      r.pcie_generation = r.pcie_generation_max = Count(5);
      r.pcie_width = r.pcie_width_max = Count(16);
    }
  }

  void tick(Andon& andon) {
    snapshot_.monotonic += 1s;
    snapshot_.taken_at += 1s;
    ++snapshot_.sequence;
    for (std::size_t i = 0; i < snapshot_.devices.size(); ++i) {
      const double phase = static_cast<double>(snapshot_.sequence + 37 * i);
      const double swing = i % 10 == 0 ? 30 : 2;
      snapshot_.devices[i].reading.temperature = Celsius(60 + swing * std::sin(phase / 200));
      snapshot_.devices[i].read_at = snapshot_.taken_at;
    }
    const auto begin = std::chrono::steady_clock::now();
    andon.look(snapshot_);
    spent_.push_back(microseconds(std::chrono::steady_clock::now() - begin));
    most_ = std::max(most_, snapshot_.alerts->size());
  }

  double mean() const {
    double sum = 0;
    for (const double each : spent_) sum += each;
    return sum / static_cast<double>(spent_.size());
  }
  double worst_of_hundred() {
    const auto at = spent_.begin() + static_cast<std::ptrdiff_t>(spent_.size() * 99 / 100);
    std::ranges::nth_element(spent_, at);
    return *at;
  }
  std::size_t most() const { return most_; }

 private:
  Snapshot snapshot_;
  std::vector<double> spent_;
  std::size_t most_ = 0;
};

// The goals are those of governor and alerts together; the governor has its figures beside these.
void look(std::size_t devices, double goal) {
  Fleet fleet(devices);
  Andon andon;
  for (int i = 0; i < kTicks; ++i) fleet.tick(andon);
  figure(fmt::format("a tick of {} devices, mean of {}", devices, kTicks), fleet.mean(), "us", goal);
  figure(fmt::format("a tick of {} devices, 99th percentile", devices), fleet.worst_of_hundred(), "us");
  figure(fmt::format("alerts listed of them at most", devices), static_cast<double>(fleet.most()), "alerts");
}

}  // namespace

void andon() {
  heading("Alerts: every device is busy, every tenth swings through being hot");
  look(8, 20);
  look(1000, 2000);
}

}  // namespace gpukeeper::bench
