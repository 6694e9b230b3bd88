#pragma once

#include <chrono>
#include <utility>
#include <vector>

#include "fakes/snapshots.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Snapshots one after the other, for what looks at stretches of time: second 0 is an hour after the machine started.
class Past {
 public:
  static MonotonicTime at(double seconds) {
    return MonotonicTime(std::chrono::hours(1)) +
           std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
  }

  /// The machine at that second; every reading is of that moment.
  static Snapshot snapshot(double seconds, std::vector<DeviceSnapshot> devices) {
    Snapshot result = machine(std::move(devices));
    result.monotonic = at(seconds);
    result.taken_at = kThen + std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(seconds));
    for (DeviceSnapshot& d : result.devices) {
      if (d.available) d.read_at = result.taken_at;
      for (DeviceSnapshot& partition : d.partitions) partition.read_at = result.taken_at;
    }
    return result;
  }

  /// One GPU of that temperature, with 40,000 of 80,000 MiB in use.
  static Snapshot one(double seconds, double celsius, const std::string& uuid = "GPU-a") {
    return snapshot(seconds, {gpu(celsius, uuid)});
  }

  static DeviceSnapshot gpu(double celsius, const std::string& uuid = "GPU-a", std::uint32_t index = 0) {
    Reading r{Missing::not_supported};
    r.temperature = Celsius(celsius);
    r.utilization = Percent(97.4);
    r.memory_used = from_mib(40'000);
    r.memory_total = from_mib(80'000);
    return device(index, facts(uuid, "NVIDIA H100 80GB HBM3", "0000:01:00.0"), r);
  }
};

}  // namespace gpukeeper
