#include "service/state_log.hpp"

#include <fmt/format.h>

namespace gpukeeper::service {

std::string name_of(const DeviceSnapshot& device) {
  return fmt::format("GPU {} ({}, {}{})", device.index, device.device->name, device.device->id.text,
                     device.device->simulated  ? ", simulated"
                     : device.device->recorded ? ", recorded"
                                               : "");
}

void StateLog::look(const Snapshot& snapshot) {
  if (snapshot.sequence == 0) return;
  for (const SourceStatus& source : snapshot.sources) look_at(source);
  for (const DeviceSnapshot& device : snapshot.devices) look_at(device);
}

void StateLog::look(const EngineTrouble& trouble) {
  if (trouble.count < trouble_.count) return;  // of an engine that has ended nothing is known
  if (trouble.count > trouble_.count) log_.error("gpukeeper itself fails: {}", trouble.last);
  if (trouble_.lasting && !trouble.lasting) log_.info("gpukeeper works again; {} steps have failed", trouble.count);
  trouble_ = trouble;
}

void StateLog::look_at(const DeviceSnapshot& device) {
  const auto [place, is_new] = devices_.try_emplace(device.device->id, device.available);
  const bool before = std::exchange(place->second, device.available);
  const bool asleep = device.reading.attention == Attention::asleep;
  if (!device.available && (is_new || before)) {
    if (asleep) {
      log_.info("{}: {}", name_of(device), device.reason);
    } else {
      log_.warning("{}: not available: {}", name_of(device), device.reason);
    }
  } else if (is_new) {
    log_.info("{}: found, {}", name_of(device), to_string(device.throttling.state));
  } else if (device.available && !before) {
    log_.info("{}: available again, {}", name_of(device), to_string(device.throttling.state));
  }
}

void StateLog::look_at(const SourceStatus& source) {
  const auto [place, is_new] = sources_.try_emplace(source.name, source.available);
  const bool before = std::exchange(place->second, source.available);
  if (!source.available && (is_new || before)) {
    log_.warning("source {}: not available: {}", source.name, source.message);
  } else if (source.available && is_new) {
    log_.info("source {}: {} devices", source.name, source.devices);
  } else if (source.available && !before) {
    log_.info("source {}: available again, {} devices", source.name, source.devices);
  }
}

}  // namespace gpukeeper::service
