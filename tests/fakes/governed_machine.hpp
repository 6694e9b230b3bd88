#pragma once

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policy/governor.hpp"

namespace gpukeeper {

/// Devices whose readings a test makes up, governed once a tick.
class GovernedMachine {
 public:
  explicit GovernedMachine(std::size_t devices = 1, GovernorSettings settings = {},
                           IsOurs is_ours = Governor::nothing_is_ours)
      : governor_(std::move(settings), std::move(is_ours)) {
    snapshot_.monotonic = MonotonicTime(std::chrono::hours(1));
    snapshot_.taken_at = WallTime(std::chrono::seconds(1'780'000'000));
    for (std::size_t i = 0; i < devices; ++i) {
      DeviceSnapshot& device = snapshot_.devices.emplace_back();
      Device facts;
      facts.id.text = fmt::format("GPU-{}", static_cast<char>('a' + i));
      facts.name = "NVIDIA H200";
      facts.vendor = Vendor::nvidia;
      device.index = static_cast<std::uint32_t>(i);
      device.device = std::make_shared<const Device>(std::move(facts));
      device.reading = Reading{Missing::not_supported};
      device.available = true;
      heat(50, i);
      fill(30, i);
    }
  }

  Governor& governor() { return governor_; }
  DeviceSnapshot& device(std::size_t i = 0) { return snapshot_.devices.at(i); }
  Reading& reading(std::size_t i = 0) { return device(i).reading; }
  MonotonicTime now() const { return snapshot_.monotonic; }
  Snapshot& snapshot() { return snapshot_; }

  void heat(double celsius, std::size_t i = 0) { reading(i).temperature = Celsius(celsius); }
  void fill(double percent, std::size_t i = 0) {
    reading(i).memory_total = Bytes(100'000);
    reading(i).memory_used = Bytes(static_cast<std::uint64_t>(percent * 1000));
  }

  void lose(std::size_t i = 0) {
    device(i).available = false;
    reading(i) = Reading{Missing::failed};
  }
  void find_again(double celsius, std::size_t i = 0) {
    device(i).available = true;
    reading(i) = Reading{Missing::not_supported};
    heat(celsius, i);
    fill(30, i);
  }

  /// The next snapshot, so much later, governed; its events are kept for events().
  const Throttling& tick(std::chrono::nanoseconds later = std::chrono::seconds(3)) {
    ++snapshot_.sequence;
    snapshot_.monotonic += later;
    snapshot_.taken_at += std::chrono::duration_cast<WallTime::duration>(later);
    governor_.govern(snapshot_);
    for (GovernorEvent& event : governor_.take_events()) events_.push_back(std::move(event));
    return device().throttling;
  }

  /// The first device at this temperature for a sample.
  const Throttling& at(double celsius) {
    heat(celsius);
    return tick();
  }

  const std::vector<GovernorEvent>& all_events() const { return events_; }

  /// What was told since it was asked last: "GPU-a state_change optimal>critical", "GPU-a critical".
  std::vector<std::string> events() {
    std::vector<std::string> lines;
    for (const GovernorEvent& event : std::exchange(events_, {})) {
      std::string line = fmt::format("{} {}", event.device->device->id.text, to_string(event.kind));
      if (event.kind == GovernorEventKind::state_change) {
        line += fmt::format(" {}>{}", to_string(event.old_state), to_string(event.new_state));
      }
      lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  Governor governor_;
  Snapshot snapshot_;
  std::vector<GovernorEvent> events_;
};

}  // namespace gpukeeper
