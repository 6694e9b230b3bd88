#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "device/backend.hpp"

namespace gpukeeper::bench {

/// Eight GPUs none of whose sensors ever rests: everything that a busy H100 changes from second to second changes here,
/// at the resolution that NVML gives it. Four processes are on each; their shares change at every look.
class NoisyBackend final : public Backend {
 public:
  enum class Sensors {
    of_h100,
    all,  ///< those that are stored and that it lacks, too: a fan, a hotspot, video engines, counters of errors
  };
  explicit NoisyBackend(Sensors sensors = Sensors::of_h100) : sensors_(sensors) {}

  std::string_view name() const override { return "nvml"; }
  DriverCost cost() const override { return {}; }

  Result<std::vector<Device>> list() override {
    std::vector<Device> devices;
    for (std::uint8_t i = 0; i < 8; ++i) {
      Device& device = devices.emplace_back();
      device.id = {fmt::format("GPU-{:08x}-1111-2222-3333-44445555666{}", 0x9e3779b9u * i, i)};
      device.vendor = Vendor::nvidia;
      device.name = "NVIDIA H100 80GB HBM3";
      device.source = "nvml";
      device.pci = PciAddress{0, static_cast<std::uint8_t>(i + 1), 0, 0};
    }
    return devices;
  }

  Result<Reading> read(const DeviceId& id) override {
    Reading r{Missing::not_supported};
    watts_ = std::clamp(watts_ + between(-15'000, 15'000), 300'000.0, 700'000.0);
    r.power = Watts(watts_ / 1000);
    r.power_instant = Watts((watts_ + between(-40'000, 40'000)) / 1000);
    r.energy = Joules((energy_ += watts_ + between(0, 999)) / 1000);
    r.temperature = Celsius(60 + between(0, 4));
    r.temperature_memory = Celsius(70 + between(0, 4));
    r.utilization = Percent(90 + between(0, 10));
    r.utilization_memory = Percent(40 + between(0, 25));
    r.memory_used = Bytes(static_cast<std::uint64_t>(60'000 + between(0, 2000)) << 20);
    r.memory_total = Bytes(std::uint64_t{81'559} << 20);
    r.clock_graphics = Megahertz(1500 + 15 * between(0, 30));
    r.clock_sm = r.clock_graphics;
    r.clock_memory = Megahertz(2619);
    r.pcie_rx = BytesPerSecond(1000.0 * between(0, 2'000'000));
    r.pcie_tx = BytesPerSecond(1000.0 * between(0, 2'000'000));
    r.interconnect_rx = BytesPerSecond(1000.0 * between(0, 90'000'000));
    r.interconnect_tx = BytesPerSecond(1000.0 * between(0, 90'000'000));
    const bool capped = between(0, 3) == 0;
    r.throttle_reasons = capped ? ThrottleReasons(Throttle::software_power_cap) : ThrottleReasons();
    auto& throttled = throttled_[id];
    if (capped) throttled += std::chrono::microseconds(static_cast<int>(between(0, 1'000'000)));
    r.throttle_power_time = throttled;
    r.power_limit = Watts(700);
    if (sensors_ == Sensors::all) add_others(r);
    return r;
  }

  Result<std::vector<GpuProcess>> processes(const DeviceId&) override {
    std::vector<GpuProcess> processes;
    for (std::int64_t pid = 40'000; pid < 40'004; ++pid) {
      GpuProcess& process = processes.emplace_back();
      process.pid = pid;
      process.name = "python3";
      process.type.compute = true;
      process.memory = Bytes(std::uint64_t{2000} << 20);
      process.utilization = Percent(between(0, 30));
    }
    return processes;
  }

 private:
  void add_others(Reading& r) {
    r.temperature_hotspot = Celsius(75 + between(0, 6));
    r.temperature_slowdown = Celsius(92);
    r.fan = Percent(60 + between(0, 5));
    r.utilization_encoder = Percent(between(0, 100));
    r.utilization_decoder = Percent(between(0, 100));
    r.throttle_thermal_time = *r.throttle_power_time / 2;
    r.ecc_corrected_volatile = Count(static_cast<std::uint64_t>(energy_ / 1e12));
    r.faults = Count(0);
  }

  // A generator of its own, so that every machine records the same bytes.
  double between(int low, int high) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return low + static_cast<int>((state_ >> 33) % static_cast<std::uint64_t>(high - low + 1));
  }

  const Sensors sensors_;
  std::uint64_t state_ = 1;
  std::unordered_map<DeviceId, std::chrono::microseconds> throttled_;
  double watts_ = 500'000;  // mW
  double energy_ = 1e12;    // mJ
};

}  // namespace gpukeeper::bench
