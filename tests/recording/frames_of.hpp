#pragma once

#include <string>
#include <vector>

#include "recording/state.hpp"

namespace gpukeeper::recording {

inline Device test_device(const std::string& id = "GPU-a") {
  Device device;
  device.id = {id};
  device.vendor = Vendor::nvidia;
  device.name = "NVIDIA Test";
  device.source = "fake";
  device.pci = PciAddress{0, 1, 0, 0};
  return device;
}

inline Reading test_reading(double watts) {
  Reading reading{Missing::not_supported};
  reading.power = Watts(watts);
  reading.temperature = Celsius(50);
  reading.memory_used = Bytes(1 << 30);
  return reading;
}

/// A frame of one source with one device.
inline Frame test_frame(Offset at, double watts) {
  Frame frame{.at = at, .wall = WallTime(std::chrono::seconds(1'780'000'000)) + at};
  SourceCalls source{.name = "fake"};
  source.list.outcome = std::vector<Device>{test_device()};
  source.devices[DeviceId{"GPU-a"}].reading.outcome = test_reading(watts);
  frame.state.sources.push_back(std::move(source));
  frame.state.event_sources.push_back({.name = "fake events", .take = {.outcome = Result<void>()}});
  return frame;
}

inline double watts_of(const Frame& frame) {
  return (*frame.state.sources.at(0).devices.at(DeviceId{"GPU-a"}).reading.outcome)->power->value();
}

}  // namespace gpukeeper::recording
