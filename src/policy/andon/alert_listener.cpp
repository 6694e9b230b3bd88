#include "policy/andon/alert_listener.hpp"

namespace gpukeeper {
namespace {

std::string origin_of(const Device& device) {
  return device.simulated ? "simulated" : device.recorded ? "recorded" : "";
}

}  // namespace

std::string origin_of(const Alert& alert, const Snapshot& snapshot) {
  for (const DeviceSnapshot& each : snapshot.devices) {
    if (alert.device == each.device->id) return origin_of(*each.device);
    for (const DeviceSnapshot& partition : each.partitions) {
      if (alert.device == partition.device->id) return origin_of(*partition.device);
    }
  }
  std::string origin;
  for (const DeviceSnapshot& each : snapshot.devices) {
    origin = origin_of(*each.device);
    if (origin.empty()) return origin;
  }
  return origin;
}

std::string_view to_string(AlertChange::Kind kind) {
  switch (kind) {
    case AlertChange::Kind::fired: return "fired";
    case AlertChange::Kind::escalated: return "escalated";
    case AlertChange::Kind::repeated: return "repeated";
    case AlertChange::Kind::resolved: return "resolved";
  }
  return "fired";
}

}  // namespace gpukeeper
