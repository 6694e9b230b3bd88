#include "fleet.hpp"

#include <chrono>
#include <cmath>
#include <memory>
#include <vector>

#include <fmt/format.h>

namespace gpukeeper::bench {

using namespace std::chrono_literals;

Fleet::Fleet(std::size_t size) {
  snapshot_.monotonic = MonotonicTime(1h);
  const auto processes = std::make_shared<const std::vector<GpuProcess>>(4);
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
    r.temperature_slowdown = Celsius(97);
    r.fan = Percent(60);
    r.utilization = Percent(90);
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

Snapshot& Fleet::next() {
  snapshot_.monotonic += 1s;
  snapshot_.taken_at += 1s;
  ++snapshot_.sequence;
  for (std::size_t i = 0; i < snapshot_.devices.size(); ++i) {
    const double phase = static_cast<double>(snapshot_.sequence + 37 * i);
    const double swing = i % 10 == 0 ? 30 : 2;
    DeviceSnapshot& device = snapshot_.devices[i];
    device.reading.temperature = Celsius(60 + swing * std::sin(phase / 40));
    device.reading.memory_used = from_mib(90'000 + 1000 * (snapshot_.sequence % 7));
    device.read_at = snapshot_.taken_at;
  }
  return snapshot_;
}

}  // namespace gpukeeper::bench
